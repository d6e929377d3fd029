/** The device list with its search, and the picker of narrow screens. */
import type { FleetDevice } from "@kelvin/schema/live";
import { ago, count, temperature, type Unit } from "../format.ts";
import { isHigh } from "../limit.ts";
import { Ranking } from "../ranking.ts";
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

/** What every row is drawn by. */
interface RowPicture {
  readonly shown: string | undefined;
  readonly unit: Unit;
  readonly nowMs: number;
  readonly limitKelvin: number | undefined;
  readonly trends: Trends;
  /** False: whether a device is in alarm is not known now, only that it was. */
  readonly isSure: boolean;
}

export interface DevicesPicture extends RowPicture {
  readonly devices: readonly FleetDevice[];
  /** All there are; `devices` may be cut. */
  readonly total: number;
}

type DeviceState = "high" | "unknown" | "stale" | "clock-ahead" | "ok";

interface Row extends RowPicture {
  readonly device: FleetDevice;
}

/** Who has been still for so long no longer chooses from the list, wherever the pointer or the focus was left. */
const CHOOSING_MS = 20_000;
/** A finger is not over the list any more once it is lifted: it may come down again where it was. */
const TOUCHED_MS = 3_000;

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
  const ranking = new Ranking();
  /** When somebody last did something in the list, and when with a finger. */
  let usedMs = -Infinity;
  let touchedMs = -Infinity;

  search.addEventListener("input", () => {
    if (last !== undefined) draw(last);
  });
  picker.addEventListener("change", () => onDevice(picker.value));
  ul.addEventListener("keydown", moveFocus);
  for (const sign of ["pointermove", "pointerdown", "wheel", "keydown", "focusin"]) {
    ul.addEventListener(sign, () => (usedMs = performance.now()), { passive: true });
  }
  for (const sign of ["touchstart", "touchmove", "touchend"]) {
    ul.addEventListener(sign, () => (touchedMs = performance.now()), { passive: true });
  }

  return {
    draw,
    /** Redraws one device's row, without a look at the others. */
    drawRow(device: FleetDevice, picture: RowPicture) {
      list.redraw({ ...picture, device });
    },
  };

  function draw(picture: DevicesPicture): void {
    last = picture;
    const { devices, total, ...row } = picture;
    const { shown, nowMs } = row;
    const several = total > 1 || (total === 1 && shown !== undefined && devices[0]?.id !== shown);
    setAttribute(main, "data-fleet", several ? "many" : "one");
    if (!several) return;
    const wanted = search.value.trim().toLocaleLowerCase();
    const ranked = ranking.order(devices, nowMs, !isUsed());
    const found = ranked.devices.filter(({ id }) => id.toLocaleLowerCase().includes(wanted));
    list.update(found.map((device) => ({ ...row, device })));
    oneTabStop(ul);
    const texts: string[] = [];
    if (found.length === 0) texts.push(`No device matches "${search.value.trim()}".`);
    else if (total > devices.length) texts.push(`${count(total - devices.length)} more are not listed.`);
    if (ranked.isHeld) texts.push("The order is frozen while you use the list.");
    setText(none, texts.join(" "));
    setHidden(none, texts.length === 0);
    drawPicker(devices, shown);
  }

  function isUsed(): boolean {
    const nowMs = performance.now();
    if (nowMs - touchedMs < TOUCHED_MS) return true;
    return nowMs - usedMs < CHOOSING_MS && ul.matches(":hover, :focus-within");
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
  unknown: "unknown whether still too hot",
  stale: "silent",
  "clock-ahead": "clock ahead",
  ok: "",
};

function drawRow(item: ReturnType<typeof makeRow>, row: Row): void {
  const { element, link, icon, value, note, line, drawn } = item;
  const { device, unit, nowMs, trends, shown } = row;
  if (drawn.revision !== trends.revision) {
    drawn.revision = trends.revision;
    setAttribute(line, "d", pathOf(trends.of(device.id), SPARKLINE.width, SPARKLINE.height));
  }
  const state = stateOf(device, row.isSure);
  setState(element, state);
  // A device stays in alarm for a while after its value has come down: the value says how it is now.
  setState(value, !device.stale && isHigh(device.celsius, row.limitKelvin) ? "high" : "ok");
  setIcon(icon, state === "ok" ? "high" : state);
  setText(value, device.stale ? ago(nowMs - device.heardMs) : temperature(device.celsius, unit, 1));
  setText(note, device.stale && state === "high" ? "too hot, then silent" : STATE_WORDS[state]);
  if (device.id === shown) setAttribute(link, "aria-current", "true");
  else link.removeAttribute("aria-current");
}

function stateOf({ inAlarm, stale, ahead }: FleetDevice, isSure: boolean): DeviceState {
  if (inAlarm) return isSure ? "high" : "unknown";
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
