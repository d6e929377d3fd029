/** What is drawn beside the line: the limit, the area above it, single readings, the newest one, the cursor. */
import type { Chart, ChartArea, Plugin } from "chart.js";
import type { Point } from "../line.ts";

/** The colours of the theme in force, as the canvas takes them. */
export interface Inks {
  readonly ink: string;
  readonly soft: string;
  readonly panel: string;
  readonly rule: string;
  readonly line: string;
  readonly alarm: string;
  /** Pixels of the page's own letter size. */
  readonly em: number;
  readonly font: string;
}

export interface Marks {
  inks: Inks;
  /** In the unit shown; undefined: not known yet. */
  limit: { readonly y: number } | undefined;
  points: Point[];
  /** The newest reading; hollow where the device has fallen silent since. */
  newest: (Point & { readonly fresh: boolean }) | undefined;
  cursor: Point | undefined;
}

export function inksOf(element: Element): Inks {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: colour("--ink"),
    soft: colour("--ink-soft"),
    panel: colour("--panel"),
    rule: colour("--rule"),
    line: colour("--line"),
    alarm: colour("--alarm"),
    em: Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
    font: style.fontFamily,
  };
}

/** The line's colour: the alarm's above the limit, quiet below. */
function strokeOf(chart: Chart, { inks, limit }: Marks): string | CanvasGradient {
  const y = chart.scales["y"];
  const { top, bottom } = chart.chartArea;
  if (limit === undefined || y === undefined || bottom <= top) return inks.line;
  const share = Math.min(1, Math.max(0, (y.getPixelForValue(limit.y) - top) / (bottom - top)));
  const gradient = chart.ctx.createLinearGradient(0, top, 0, bottom);
  gradient.addColorStop(0, inks.alarm);
  gradient.addColorStop(share, inks.alarm);
  gradient.addColorStop(share, inks.line);
  gradient.addColorStop(1, inks.line);
  return gradient;
}

export function marksPlugin(marks: Marks): Plugin<"line"> {
  return {
    id: "kelvin-marks",
    // The area is as it will be drawn, whatever led to it: a reading, another size, another theme.
    // Not by a function: Chart.js would then ask for the colour of every single point.
    afterLayout: (chart) => {
      const [dataset] = chart.data.datasets;
      if (dataset !== undefined) dataset.borderColor = strokeOf(chart, marks);
    },
    beforeDatasetsDraw: (chart) => {
      const place = placesOf(chart);
      if (place === undefined) return;
      within(chart, () => fillAboveLimit(place, marks));
      drawLimit(place, marks);
    },
    afterDatasetsDraw: (chart) => {
      const place = placesOf(chart);
      if (place === undefined) return;
      within(chart, () => drawSinglePoints(place, marks));
      drawNewest(place, marks);
      drawCursor(place, marks);
    },
  };
}

/** Where values lie on the canvas. */
interface Places {
  readonly context: CanvasRenderingContext2D;
  readonly area: ChartArea;
  x(value: number): number;
  y(value: number): number;
}

function placesOf(chart: Chart): Places | undefined {
  const { x, y } = chart.scales;
  if (x === undefined || y === undefined) return undefined;
  return {
    context: chart.ctx,
    area: chart.chartArea,
    x: (value) => x.getPixelForValue(value),
    y: (value) => y.getPixelForValue(value),
  };
}

function within(chart: Chart, draw: () => void): void {
  const { left, top, right, bottom } = chart.chartArea;
  chart.ctx.save();
  chart.ctx.beginPath();
  chart.ctx.rect(left, top, right - left, bottom - top);
  chart.ctx.clip();
  draw();
  chart.ctx.restore();
}

function fillAboveLimit({ context, area, x, y }: Places, { points, limit, inks }: Marks): void {
  if (limit === undefined) return;
  const limitY = y(limit.y);
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.right - area.left, limitY - area.top);
  context.clip();
  context.beginPath();
  let startX: number | undefined;
  let lastX = 0;
  const close = () => {
    if (startX === undefined) return;
    context.lineTo(lastX, limitY);
    context.lineTo(startX, limitY);
    context.closePath();
    startX = undefined;
  };
  for (const point of points) {
    if (Number.isNaN(point.y)) {
      close();
      continue;
    }
    lastX = x(point.x);
    if (startX === undefined) {
      startX = lastX;
      context.moveTo(lastX, y(point.y));
    } else context.lineTo(lastX, y(point.y));
  }
  close();
  context.globalAlpha = 0.16;
  context.fillStyle = inks.alarm;
  context.fill();
  context.restore();
}

function drawLimit({ context, area, y }: Places, { limit, inks }: Marks): void {
  if (limit === undefined) return;
  const at = y(limit.y);
  if (at < area.top || at > area.bottom) return;
  context.save();
  context.strokeStyle = inks.soft;
  context.lineWidth = 1.25;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(area.left, Math.round(at) + 0.5);
  context.lineTo(area.right, Math.round(at) + 0.5);
  context.stroke();
  context.restore();
}

/** A reading between two gaps is no line; without a dot it would not be seen at all. */
function drawSinglePoints({ context, x, y }: Places, { points, limit, inks }: Marks): void {
  for (const [i, point] of points.entries()) {
    if (Number.isNaN(point.y)) continue;
    if (!isBreak(points[i - 1]) || !isBreak(points[i + 1])) continue;
    context.fillStyle = limit !== undefined && point.y > limit.y ? inks.alarm : inks.line;
    dot(context, x(point.x), y(point.y), 2.25);
    context.fill();
  }
}

function isBreak(point: Point | undefined): boolean {
  return point === undefined || Number.isNaN(point.y);
}

function drawNewest({ context, area, x, y }: Places, { newest, limit, inks }: Marks): void {
  if (newest === undefined) return;
  const at = x(newest.x);
  if (at < area.left || at > area.right + 1) return;
  const colour = limit !== undefined && newest.y > limit.y ? inks.alarm : inks.line;
  context.save();
  context.lineWidth = 2;
  context.fillStyle = newest.fresh ? colour : inks.panel;
  context.strokeStyle = newest.fresh ? inks.panel : colour;
  dot(context, at, y(newest.y), newest.fresh ? 5 : 4);
  context.fill();
  context.stroke();
  context.restore();
}

function drawCursor({ context, area, x, y }: Places, { cursor, inks }: Marks): void {
  if (cursor === undefined) return;
  const at = x(cursor.x);
  if (at < area.left - 1 || at > area.right + 1) return;
  context.save();
  context.strokeStyle = inks.soft;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(Math.round(at) + 0.5, area.top);
  context.lineTo(Math.round(at) + 0.5, area.bottom);
  context.stroke();
  context.fillStyle = inks.panel;
  context.strokeStyle = inks.ink;
  context.lineWidth = 2;
  dot(context, at, y(cursor.y), 4.5);
  context.fill();
  context.stroke();
  context.restore();
}

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}
