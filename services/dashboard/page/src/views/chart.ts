/** The chart of the newest readings: a true time axis, gaps as gaps, the limit as a line. */
import { Chart, LinearScale, LineController, LineElement, PointElement } from "chart.js";
import {
  clockWithMilliseconds,
  inUnit,
  lengthOf,
  number,
  plural,
  temperature,
  type Unit,
} from "../format.ts";
import { limitCelsius } from "../limit.ts";
import { type Point, pointsOf } from "../line.ts";
import type { Moment } from "../moment.ts";
import { type AxisState, nextAxis, withLimit } from "../range.ts";
import { type Columns, NO_READINGS } from "../series.ts";
import { colour, configurationOf } from "./chart-configuration.ts";
import { Cursor } from "./chart-cursor.ts";
import { inksOf, type Marks } from "./chart-marks.ts";
import { decimalsOf, timeLabel, timeTicks, valueTicks } from "./chart-ticks.ts";
import { need, setAttribute, setHidden, setState, setText } from "./dom.ts";

Chart.register(LineController, LineElement, PointElement, LinearScale);

/** The words about the chart, for a screen reader that asks, are renewed so often. */
const SUMMARY_EVERY_MS = 5_000;
/** In °C: where an axis without a reading and without a limit has its middle. */
const SOME_TEMPERATURE = 20;

export interface ChartView {
  draw(moment: Moment | undefined, unit: Unit, limitKelvin: number | undefined): void;
  /** Another theme: reads the colours again. */
  recolour(): void;
}

/** `onCursor`: the viewer points elsewhere, the chart should be redrawn. */
export function chartView(page: ParentNode, onCursor: () => void): ChartView {
  const figure = need(page, ".chart", HTMLElement);
  const canvas = need(figure, "canvas", HTMLCanvasElement);
  const readout = need(figure, ".readout", HTMLElement);
  const limitName = need(figure, ".limit-name", HTMLElement);
  const empty = need(figure, ".empty", HTMLElement);
  const surface = need(figure, ".canvas", HTMLElement);

  const marks: Marks = {
    inks: inksOf(figure),
    limit: undefined,
    points: [],
    newest: undefined,
    cursor: undefined,
  };
  const configuration = configurationOf(marks);
  /** Made with the first readings: to make an empty one takes as long, and the first picture would come later. */
  let chart: Chart<"line", Point[]> | undefined;
  const cursor = new Cursor(surface, () => chart?.scales["x"], onCursor);
  let axis: AxisState | undefined;
  /** What the axis was made for; another device, unit or length starts over. */
  let axisOf = "";
  let summaryMs = -Infinity;

  return { draw, recolour };

  function recolour(): void {
    marks.inks = inksOf(figure);
    colour(chart ?? configuration, marks);
    chart?.update("none");
  }

  function draw(moment: Moment | undefined, unit: Unit, limitKelvin: number | undefined): void {
    const readings = moment?.readings ?? NO_READINGS;
    const limit = limitKelvin === undefined ? undefined : limitCelsius(limitKelvin);
    setState(figure, stateOf(moment));
    drawEmpty(moment);
    if (moment !== undefined) {
      drawAxes(moment, unit, limit);
      marks.points = pointsOf(readings, {
        gapMs: moment.gapMs,
        convert: (celsius) => inUnit(celsius, unit),
        fromMs: moment.endMs - moment.windowMs,
        toMs: moment.endMs,
        pixels: chart?.width ?? surface.clientWidth,
      });
      marks.newest = newestOf(moment, unit);
    }
    marks.limit = limit === undefined ? undefined : { y: inUnit(limit, unit) };
    setText(limitName, limit === undefined ? "" : limitText(limit, limitKelvin, unit, axis));
    const index = cursor.indexIn(readings);
    marks.cursor = index < 0 ? undefined : pointAt(readings, index, unit);
    const [dataset] = (chart ?? configuration).data.datasets;
    if (dataset !== undefined) dataset.data = marks.points;
    if (chart !== undefined) chart.update("none");
    else if (moment !== undefined) chart = new Chart(canvas, configuration);
    drawReadout(moment, readings, index, unit);
    drawSummary(moment, unit);
  }

  function drawAxes(moment: Moment, unit: Unit, limit: number | undefined): void {
    const { endMs, windowMs, stats } = moment;
    const key = `${unit} ${moment.device} ${windowMs}`;
    if (key !== axisOf) axis = undefined;
    axisOf = key;
    const middle = limit ?? SOME_TEMPERATURE;
    const { count, low, high } = stats;
    const seen = count > 0 ? { low, high } : { low: middle, high: middle };
    const wanted = withLimit(
      inUnit(seen.low, unit),
      inUnit(seen.high, unit),
      limit === undefined ? undefined : inUnit(limit, unit),
    );
    axis = nextAxis(axis, wanted.low, wanted.high, endMs);
    const scales = (chart ?? configuration).options?.scales;
    const x = scales?.["x"];
    const y = scales?.["y"];
    if (x === undefined || y === undefined) return;
    x.min = endMs - windowMs;
    x.max = endMs;
    x.afterBuildTicks = (scale) => {
      scale.ticks = timeTicks(moment, scale.width / marks.inks.em);
    };
    if (x.ticks !== undefined) x.ticks.callback = (value) => timeLabel(Number(value), moment);
    y.min = axis.range.min;
    y.max = axis.range.max;
    const { min, max, step } = axis.range;
    y.afterBuildTicks = (scale) => {
      scale.ticks = valueTicks(min, max, step, scale.height / marks.inks.em);
    };
    if (y.ticks !== undefined) y.ticks.callback = (value) => number(Number(value), decimalsOf(step));
  }

  function drawEmpty(moment: Moment | undefined): void {
    const none = moment === undefined || moment.readings.timesMs.length === 0;
    setHidden(empty, !none);
    if (!none) return;
    const length = lengthOf(moment?.windowMs ?? 0);
    setText(empty, moment?.last ? `No reading in the last ${length}` : "Waiting for the first reading");
  }

  function drawReadout(moment: Moment | undefined, readings: Columns, index: number, unit: Unit): void {
    if (index >= 0) {
      const at = clockWithMilliseconds(readings.timesMs[index] ?? 0);
      setText(readout, `${at}  ${temperature(readings.celsius[index] ?? 0, unit)}`);
      return;
    }
    setText(readout, moment === undefined ? "" : extremesText(moment, unit));
  }

  function drawSummary(moment: Moment | undefined, unit: Unit): void {
    const nowMs = performance.now();
    if (nowMs - summaryMs < SUMMARY_EVERY_MS) return;
    summaryMs = nowMs;
    const text =
      moment === undefined || moment.stats.count === 0
        ? "No readings"
        : `${moment.device}: ${plural(moment.stats.count, "reading")}, ${extremesText(moment, unit)}`;
    setAttribute(canvas, "aria-label", text);
  }
}

function stateOf(moment: Moment | undefined): string {
  if (moment === undefined) return "none";
  if (moment.readings.timesMs.length === 0) return "empty";
  if (moment.frozen === "paused") return "paused";
  if (moment.frozen !== undefined) return "frozen";
  return moment.silentMs === undefined ? "live" : "stale";
}

function newestOf(moment: Moment, unit: Unit): Marks["newest"] {
  const { readings } = moment;
  const index = readings.timesMs.length - 1;
  if (index < 0) return undefined;
  return { ...pointAt(readings, index, unit), fresh: moment.silentMs === undefined };
}

function pointAt({ timesMs, celsius }: Columns, index: number, unit: Unit): Point {
  return { x: timesMs[index] ?? 0, y: inUnit(celsius[index] ?? Number.NaN, unit) };
}

function extremesText({ stats: { count, low, high } }: Moment, unit: Unit): string {
  return count === 0 ? "" : `lowest ${temperature(low, unit)}, highest ${temperature(high, unit)}`;
}

/** Told above the chart, not in it: there it would hide the line. A limit beyond the axis has an arrow to it. */
function limitText(
  limit: number,
  limitKelvin: number | undefined,
  unit: Unit,
  axis: AxisState | undefined,
): string {
  const kelvin = limitKelvin === undefined ? "" : ` (${Number(limitKelvin.toFixed(2))} K)`;
  const y = inUnit(limit, unit);
  const beyond =
    axis !== undefined && y > axis.range.max ? "↑ " : axis !== undefined && y < axis.range.min ? "↓ " : "";
  return `${beyond}limit ${temperature(limit, unit)}${unit === "kelvin" ? "" : kelvin}`;
}
