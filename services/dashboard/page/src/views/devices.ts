/** The device list (worst first, as the server sorts it) with its search, and the picker of narrow screens. */
import type { FleetDevice } from "@kelvin/schema/live";
import { count, temperature, type Unit, wholeSeconds } from "../format.ts";
import { isHigh } from "../limit.ts";
import { pathOf, type Trends } from "../trends.ts";
import { linkTo, type OnDevice } from "./device-link.ts";
import {
  KeyedList,
  need,
  newElement,
  newIcon,
  setAttribute,
  setHidden,
  setIcon,
  setState,
  setText,
} from "./dom.ts";

export interface DevicesPicture {
  readonly devices: readonly FleetDevice[];
  /** All there are; `devices` may be cut. */
  readonly total: number;
  readonly shown: string | undefined;
  readonly unit: Unit;
  readonly nowMs: number;
  readonly limitKelvin: number | undefined;
  readonly trends: Trends;
}

type DeviceState = "high" | "stale" | "clock-ahead" | "ok";

interface Row {
  readonly device: FleetDevice;
  readonly shown: boolean;
  readonly unit: Unit;
  readonly nowMs: number;
  readonly limitKelvin: number | undefined;
  readonly trends: Trends;
}

const byName = new Intl.Collator(undefined, { numeric: true }).compare;

export function devicesView(page: ParentNode, onDevice: OnDevice) {
  const main = need(page, "main", HTMLElement);
  const ul = need(page, ".device-list", HTMLElement);
  const search = need(page, ".search", HTMLInputElement);
  const none = need(page, ".devices-none", HTMLElement);
  const picker = need(page, ".picker select", HTMLSelectElement);
  const list = new KeyedList(ul, {
    key: ({ device }: Row) => device.id,
    make: ({ device }: Row) => makeRow(device, onDevice),
    draw: drawRow,
  });
  const options = new KeyedList(picker, {
    key: (id: string) => id,
    make: (id: string) => {
      const element = newElement("option", "", id);
      element.value = id;
      return { element };
    },
    draw: () => {},
  });
  let last: DevicesPicture | undefined;
  let offered: ReadonlySet<string> = new Set();
  /** Under the pointer rows don't change places: a click must hit what was aimed at. */
  let order: readonly string[] | undefined;
  /** How they stand when nobody points at them. */
  let drawn: readonly string[] = [];

  search.addEventListener("input", () => {
    if (last !== undefined) draw(last);
  });
  picker.addEventListener("change", () => onDevice(picker.value));
  ul.addEventListener("keydown", moveFocus);

  return {
    draw,
    /** Draws one device's row anew, without a look at the others. */
    drawRow(
      device: FleetDevice,
      { unit, nowMs, limitKelvin, shown, trends }: Omit<DevicesPicture, "devices" | "total">,
    ) {
      list.redraw({ device, shown: device.id === shown, unit, nowMs, limitKelvin, trends });
    },
  };

  function draw(picture: DevicesPicture): void {
    last = picture;
    const { devices, total, shown, unit, nowMs, limitKelvin, trends } = picture;
    const several = total > 1 || (total === 1 && shown !== undefined && devices[0]?.id !== shown);
    setAttribute(main, "data-fleet", several ? "many" : "one");
    if (!several) return;
    const wanted = search.value.trim().toLocaleLowerCase();
    const found = held(devices).filter(({ id }) => id.toLocaleLowerCase().includes(wanted));
    list.update(
      found.map((device) => ({ device, shown: device.id === shown, unit, nowMs, limitKelvin, trends })),
    );
    oneTabStop(ul);
    const cut = total - devices.length;
    const text =
      found.length === 0
        ? `No device matches "${search.value.trim()}".`
        : cut > 0
          ? `${count(cut)} more are not listed.`
          : "";
    setText(none, text);
    setHidden(none, text === "");
    drawPicker(devices, shown);
  }

  /** By name: who picks from a long list looks for a name. Its places change only when a device comes or goes. */
  function drawPicker(devices: readonly FleetDevice[], shown: string | undefined): void {
    const ids = new Set(devices.map(({ id }) => id));
    if (shown !== undefined) ids.add(shown);
    if (ids.size !== offered.size || [...ids].some((id) => !offered.has(id))) {
      offered = ids;
      options.update([...ids].sort(byName));
    }
    const isUsed = document.activeElement === picker;
    if (shown !== undefined && picker.value !== shown && !isUsed) picker.value = shown;
  }

  function held(devices: readonly FleetDevice[]): readonly FleetDevice[] {
    if (!ul.matches(":hover, :focus-within")) order = undefined;
    else order ??= drawn;
    if (order === undefined) {
      drawn = devices.map(({ id }) => id);
      return devices;
    }
    const places = new Map(order.map((id, i) => [id, i]));
    const placeOf = ({ id }: FleetDevice) => places.get(id) ?? Number.MAX_SAFE_INTEGER;
    return [...devices].sort((a, b) => placeOf(a) - placeOf(b));
  }
}

function makeRow(device: FleetDevice, onDevice: OnDevice) {
  const icon = newIcon("high");
  const name = newElement("bdi", "device-name", device.id);
  const value = newElement("span", "device-value");
  const note = newElement("span", "visually-hidden");
  const [spark, line] = newSparkline();
  const link = linkTo(device.id, "", onDevice);
  link.title = device.id;
  link.append(icon, name, spark, value, note);
  const element = newElement("li", "device", link);
  setAttribute(element, "data-testid", "device-row");
  setAttribute(element, "data-device", device.id);
  return { element, link, icon, value, note, line, drawn: { revision: -1 } };
}

const SVG = "http://www.w3.org/2000/svg";
/** In the drawing's own units, a little smaller than its room: the line has a width. */
const SPARKLINE = { width: 46, height: 14 };

function newSparkline(): [SVGSVGElement, SVGPathElement] {
  const svg = document.createElementNS(SVG, "svg");
  setAttribute(svg, "class", "sparkline");
  setAttribute(svg, "viewBox", `-1 -1 ${SPARKLINE.width + 2} ${SPARKLINE.height + 2}`);
  setAttribute(svg, "aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  svg.append(path);
  return [svg, path];
}

const STATE_WORDS: Record<DeviceState, string> = {
  high: "too hot",
  stale: "silent",
  "clock-ahead": "clock ahead",
  ok: "",
};

function drawRow(item: ReturnType<typeof makeRow>, row: Row): void {
  const { element, link, icon, value, note, line, drawn } = item;
  const { device, unit, nowMs, trends } = row;
  if (drawn.revision !== trends.revision) {
    drawn.revision = trends.revision;
    setAttribute(line, "d", pathOf(trends.of(device.id), SPARKLINE.width, SPARKLINE.height));
  }
  const state = stateOf(device);
  setState(element, state);
  // A device stays in alarm for a while after its value has come down: the value says how it is now.
  setState(value, !device.stale && isHigh(device.celsius, row.limitKelvin) ? "high" : "ok");
  setIcon(icon, state === "ok" ? "high" : state);
  setText(value, device.stale ? wholeSeconds(nowMs - device.heardMs) : temperature(device.celsius, unit, 1));
  setText(note, device.stale && state === "high" ? "too hot, then silent" : STATE_WORDS[state]);
  if (row.shown) setAttribute(link, "aria-current", "true");
  else link.removeAttribute("aria-current");
}

function stateOf({ inAlarm, stale, ahead }: FleetDevice): DeviceState {
  if (inAlarm) return "high";
  if (stale) return "stale";
  return ahead ? "clock-ahead" : "ok";
}

/** The list is one stop of the Tab key, at the shown device; arrows move within it. */
function oneTabStop(list: HTMLElement): void {
  const links = [...list.querySelectorAll("a")];
  const focused = links.find((link) => link === document.activeElement);
  const stop = focused ?? links.find((link) => link.hasAttribute("aria-current")) ?? links[0];
  for (const link of links) {
    const tabIndex = link === stop ? 0 : -1;
    if (link.tabIndex !== tabIndex) link.tabIndex = tabIndex;
  }
}

function moveFocus(event: KeyboardEvent): void {
  const list = event.currentTarget;
  if (!(list instanceof HTMLElement)) return;
  const links = [...list.querySelectorAll("a")];
  const focused = document.activeElement;
  const at = focused instanceof HTMLAnchorElement ? links.indexOf(focused) : -1;
  const to = targetOf(event.key, at, links.length);
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  links[to]?.focus();
}

function targetOf(key: string, at: number, length: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, length - 1);
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return length - 1;
    default:
      return undefined;
  }
}
