/** The shown device: its value, large, and its tiles. */
import { KPIS } from "@kelvin/schema/live";
import type { Unit } from "../format.ts";
import type { Moment } from "../moment.ts";
import {
  kpiPicture,
  type ReadingPicture,
  ratePicture,
  rejectedPicture,
  type TilePicture,
} from "../reading.ts";
import { DEFAULT_WINDOW_MS, type Store } from "../store.ts";
import { need, newElement, setAttribute, setState, setText } from "./dom.ts";

export function readingView(page: ParentNode): (picture: ReadingPicture) => void {
  const reading = need(page, ".reading", HTMLElement);
  const device = need(page, "#device bdi", HTMLElement);
  const number = need(page, ".value-number", HTMLElement);
  const unit = need(page, ".value-unit", HTMLElement);
  const change = need(page, ".change", HTMLElement);
  const verdict = need(page, ".verdict", HTMLElement);
  const margin = need(page, ".margin", HTMLElement);
  const share = need(page, ".chart-share", HTMLElement);
  return (picture) => {
    setState(reading, picture.state);
    setText(device, picture.device);
    setText(number, picture.value);
    setText(unit, picture.unit);
    setText(change, picture.change);
    setText(verdict, picture.verdict);
    setAttribute(verdict, "data-alarm", picture.alarm);
    setText(margin, picture.margin);
    setText(share, picture.aboveLimit);
  };
}

/** The KPIs' tiles, side by side, then how many readings come and how many records were refused. */
export function tilesView(page: ParentNode) {
  const tiles = need(page, ".tiles", HTMLElement);
  const kpis = KPIS.map(({ name, title }) => ({ name, title, tile: newTile(`tile-${name}`, "") }));
  const rate = newTile("tile-rate", "Readings");
  const rejected = newTile("tile-rejected", "Rejected records");
  tiles.replaceChildren(...kpis.map(({ tile }) => tile.element), rate.element, rejected.element);

  return (store: Store, moment: Moment | undefined, unit: Unit, nowMs: number): void => {
    for (const { name, title, tile } of kpis) {
      const definition = store.welcome?.kpis.find((kpi) => kpi.name === name);
      setText(tile.label, `${title}, last ${definition?.windowSeconds ?? "–"} s`);
      drawTile(tile, kpiPicture(definition, moment, store.health, unit));
    }
    drawTile(rate, ratePicture(moment));
    drawTile(rejected, rejectedPicture(store.health, nowMs, store.welcome?.windowMs ?? DEFAULT_WINDOW_MS));
    setAttribute(rejected.element, "title", store.health?.rejected.last?.reason ?? "");
  };
}

type Tile = ReturnType<typeof newTile>;

function newTile(testId: string, title: string) {
  const label = newElement("dt", "", title);
  const value = newElement("dd", "tile-value");
  const note = newElement("dd", "tile-note");
  const element = newElement("div", "tile", label, value, note);
  setAttribute(element, "data-testid", testId);
  setAttribute(value, "data-testid", `${testId}-value`);
  return { element, label, value, note };
}

function drawTile({ element, value, note }: Tile, picture: TilePicture): void {
  setState(element, picture.state);
  setText(value, picture.value);
  setText(note, picture.note);
}
