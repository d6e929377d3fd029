/** The chart's readings as a table, for those who don't see a chart; made only while it is open. */
import { clockWithMilliseconds, plural, temperature, type Unit } from "../format.ts";
import { isHigh } from "../limit.ts";
import type { Moment } from "../moment.ts";
import { need, newElement, setState } from "./dom.ts";

/** A table that is renewed under a reader's eyes can't be read: not more often than this. */
const RENEW_EVERY_MS = 5_000;
/** To make 1,000 would take more than 50 ms. */
const ROWS = 500;

export function tableView(page: ParentNode) {
  const details = need(page, ".table", HTMLDetailsElement);
  const body = need(details, "tbody", HTMLTableSectionElement);
  let drawnMs = -Infinity;
  let drawnFor = "";
  details.addEventListener("toggle", () => {
    drawnMs = -Infinity;
  });

  return (moment: Moment | undefined, unit: Unit, limitKelvin: number | undefined): void => {
    if (!details.open) return;
    const key = `${moment?.device} ${moment?.windowMs} ${unit}`;
    if (key === drawnFor && performance.now() - drawnMs < RENEW_EVERY_MS) return;
    drawnMs = performance.now();
    drawnFor = key;
    body.replaceChildren(...(moment === undefined ? [] : rowsOf(moment, unit, limitKelvin)));
  };
}

function rowsOf({ readings, endMs, windowMs, stats }: Moment, unit: Unit, limitKelvin: number | undefined) {
  const rows: HTMLTableRowElement[] = [];
  for (let i = readings.timesMs.length - 1; i >= 0 && rows.length < ROWS; i--) {
    const timeMs = readings.timesMs[i] ?? 0;
    if (timeMs < endMs - windowMs) break;
    const celsius = readings.celsius[i] ?? 0;
    const high = isHigh(celsius, limitKelvin);
    const cells = [clockWithMilliseconds(timeMs), temperature(celsius, unit), high ? "above" : ""];
    const row = newElement("tr", "", ...cells.map((text) => newElement("td", "", text)));
    setState(row, high ? "high" : "ok");
    rows.push(row);
  }
  const left = stats.count - rows.length;
  if (left > 0) {
    const cell = newElement("td", "", `${plural(left, "older reading")} not listed`);
    cell.colSpan = 3;
    rows.push(newElement("tr", "", cell));
  }
  return rows;
}
