/** What is on the chart's canvas: which colours lie where. */
import type { Page } from "playwright-core";

/** Where on the canvas to look, of its whole width and height; in its own pixels. */
interface Column {
  readonly secondsAgo: number;
  readonly nowMs: number;
}

/** A colour of the page as the browser resolves it: a token (`--line`) or a name (`CanvasText`). */
export type Colour = string;

/** The rows in which a column about an instant, 7 pixels wide, holds a colour. */
export function rowsOf(page: Page, colour: Colour, { secondsAgo, nowMs }: Column): Promise<number[]> {
  return page.evaluate(
    ({ atMs, colour }) => {
      const canvas = document.querySelector("canvas");
      const context = canvas?.getContext("2d");
      if (!canvas || !context) return [];
      const probe = document.createElement("canvas").getContext("2d");
      if (!probe) return [];
      const token = getComputedStyle(canvas).getPropertyValue(colour);
      probe.fillStyle = token === "" ? colour : token;
      probe.fillRect(0, 0, 1, 1);
      const ink = probe.getImageData(0, 0, 1, 1).data;
      const em = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      const [left, right] = [3.25 * em, canvas.width - 8];
      const agoMs = (window.__kelvin?.nowMs() ?? 0) - atMs;
      const windowMs = Number(document.querySelector<HTMLSelectElement>("select.span")?.value);
      const x = Math.round(right - ((right - left) * agoMs) / windowMs);
      const { data } = context.getImageData(x - 3, 0, 7, canvas.height);
      const isInk = (at: number) =>
        [0, 1, 2, 3].every((channel) => Math.abs((data[at + channel] ?? 0) - (ink[channel] ?? 0)) < 12);
      return Array.from({ length: canvas.height }, (_, row) => row).filter((row) =>
        [0, 1, 2, 3, 4, 5, 6].some((column) => isInk(4 * (7 * row + column))),
      );
    },
    { atMs: nowMs - 1_000 * secondsAgo, colour },
  );
}

/** The rows of which the most, and more than a third, is of a colour: those of a dashed line across the chart. */
export function rowsAcross(page: Page, colour: Colour): Promise<number[]> {
  return page.evaluate((token) => {
    const canvas = document.querySelector("canvas");
    const context = canvas?.getContext("2d");
    const probe = document.createElement("canvas").getContext("2d");
    if (!canvas || !context || !probe) return [];
    probe.fillStyle = getComputedStyle(canvas).getPropertyValue(token);
    probe.fillRect(0, 0, 1, 1);
    const ink = probe.getImageData(0, 0, 1, 1).data;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const counts = Array.from({ length: canvas.height }, (_, row) => {
      let count = 0;
      for (let x = 0; x < canvas.width; x++) {
        const at = 4 * (row * canvas.width + x);
        // An edge of a line is half as strong: its colour is the same, its cover is not.
        const isInk = [0, 1, 2].every((i) => Math.abs((data[at + i] ?? 0) - (ink[i] ?? 0)) < 12);
        if (isInk && (data[at + 3] ?? 0) > 100) count++;
      }
      return count;
    });
    return counts.flatMap((count, row) => (count > canvas.width / 3 ? [row] : []));
  }, colour);
}
