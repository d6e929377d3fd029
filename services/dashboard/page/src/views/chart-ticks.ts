/** Which values an axis names, and how. */
import type { Tick } from "chart.js";
import { clock } from "../format.ts";
import type { Moment } from "../moment.ts";

/** So wide a label is, in letters' widths, with the room beside it that the outermost, set inwards, need. */
const ROOM_FOR_AGO = 5.5;
const ROOM_FOR_MINUTES_AGO = 8;
const ROOM_FOR_CLOCK = 8;
/** A chart this long is labelled in seconds, a longer one in minutes. */
const SECONDS_UP_TO = 100;
/** So high. */
const ROOM_FOR_NUMBER = 1.5;

/** What the time axis depends on. */
type Axis = Pick<Moment, "endMs" | "windowMs" | "frozen">;

/** Where the time axis has labels: as many as have room, the newest instant always. */
export function timeTicks({ endMs, windowMs, frozen }: Axis, widthInEm: number): Tick[] {
  const windowSeconds = windowMs / 1000;
  const steps = stepsOf(windowSeconds);
  const roomForAgo = windowSeconds > SECONDS_UP_TO ? ROOM_FOR_MINUTES_AGO : ROOM_FOR_AGO;
  const room = frozen === undefined ? roomForAgo : ROOM_FOR_CLOCK;
  const step = steps.find((seconds) => (widthInEm * seconds) / windowSeconds > room) ?? windowSeconds;
  const ticks: Tick[] = [];
  for (let ago = windowSeconds; ago >= 0; ago -= step) ticks.push({ value: endMs - ago * 1000 });
  return ticks;
}

/** In seconds on a short chart, in minutes on a longer one: those that end at its left edge. */
function stepsOf(windowSeconds: number): number[] {
  const steps =
    windowSeconds <= SECONDS_UP_TO ? [10, 20, 25, 50] : [60, 150, 180, 300, 450, 600, 900, 1_800, 3_600];
  return steps.filter((step) => windowSeconds % step === 0);
}

/** Counted from now while time moves; otherwise clock times. */
export function timeLabel(timeMs: number, { endMs, windowMs, frozen }: Axis): string {
  if (frozen !== undefined) return clock(timeMs);
  const ago = Math.round((endMs - timeMs) / 1000);
  if (ago === 0) return "now";
  return windowMs <= 1_000 * SECONDS_UP_TO ? `−${ago} s` : `−${ago / 60} min`;
}

/** On a low chart every second one, or fewer: numbers must not lie upon each other. */
export function valueTicks(min: number, max: number, step: number, heightInEm: number): Tick[] {
  const steps = Math.round((max - min) / step);
  const every = Math.max(1, Math.ceil((steps * ROOM_FOR_NUMBER) / Math.max(1, heightInEm)));
  const ticks: Tick[] = [];
  for (let i = 0; i <= steps; i += every) ticks.push({ value: min + i * step });
  return ticks;
}

/** As many as tell two ticks apart. */
export function decimalsOf(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step)));
}
