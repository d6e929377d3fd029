/** What Chart.js is told once, and the theme's colours and letters. */
import type { ChartConfiguration } from "chart.js";
import type { Point } from "../line.ts";
import { type Marks, marksPlugin } from "./chart-marks.ts";

/** Seen from a desk and from across a room: 2 pixels where letters have their usual size. */
const LINE_WIDTH_EM = 0.125;

/** A line over two linear axes, without animation: it is redrawn with each batch. */
export function configurationOf(marks: Marks): ChartConfiguration<"line", Point[]> {
  const configuration: ChartConfiguration<"line", Point[]> = {
    type: "line",
    data: {
      datasets: [
        {
          data: [],
          borderJoinStyle: "round",
          borderCapStyle: "round",
          borderColor: marks.inks.line,
          pointRadius: 0,
          pointHitRadius: 0,
          tension: 0,
          spanGaps: false,
        },
      ],
    },
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      responsive: true,
      maintainAspectRatio: false,
      // The cursor is our own: Chart.js needs to hear no event.
      events: [],
      layout: { padding: { top: 4, right: 8 } },
      scales: {
        x: {
          type: "linear",
          grid: { drawTicks: false },
          ticks: { align: "inner", padding: 8, maxRotation: 0, autoSkip: false },
        },
        y: { type: "linear", grid: { drawTicks: false }, ticks: { padding: 8, autoSkip: false } },
      },
    },
    plugins: [marksPlugin(marks)],
  };
  colour(configuration, marks);
  return configuration;
}

/** Sets the theme's colours and letters on a chart, or on the configuration of one to be. */
export function colour(
  chart: Pick<ChartConfiguration<"line", Point[]>, "options" | "data">,
  { inks }: Marks,
): void {
  const scales = chart.options?.scales;
  for (const scale of [scales?.["x"], scales?.["y"]]) {
    if (scale?.ticks === undefined || scale.grid === undefined) continue;
    scale.grid.color = inks.rule;
    scale.border = { display: false };
    scale.ticks.color = inks.soft;
    scale.ticks.font = { family: inks.font, size: 0.8125 * inks.em };
  }
  const [dataset] = chart.data.datasets;
  if (dataset !== undefined) dataset.borderWidth = LINE_WIDTH_EM * inks.em;
  // As wide for "30" as for "302.5": the chart's left edge stays where it is.
  const y = scales?.["y"];
  if (y !== undefined) {
    y.afterFit = (scale) => {
      scale.width = 3.25 * inks.em;
    };
  }
}
