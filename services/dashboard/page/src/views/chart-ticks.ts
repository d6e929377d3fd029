/** Which values an axis names, and how. */
import type { Tick } from "chart.js";
import { clock } from "../format.ts";
import type { Moment } from "../moment.ts";

/** So wide a label is, in letters' widths, with the room beside it that the outermost, set inwards, need. */
const ROOM_FOR_AGO = 5.5;
const ROOM_FOR_CLOCK = 8;
/** So high. */
const ROOM_FOR_NUMBER = 1.5;

/** Where the time axis has labels: as many as have room, the newest instant always. */
export function timeTicks({ endMs, windowMs, frozen }: Moment, widthInEm: number): Tick[] {
  const windowSeconds = windowMs / 1000;
  const steps = [10, 20, 25, 50, 100].map((share) => (share * windowSeconds) / 100);
  const room = frozen === undefined ? ROOM_FOR_AGO : ROOM_FOR_CLOCK;
  const step = steps.find((seconds) => (widthInEm * seconds) / windowSeconds > room) ?? windowSeconds;
  const ticks: Tick[] = [];
  for (let ago = windowSeconds; ago >= 0; ago -= step) ticks.push({ value: endMs - ago * 1000 });
  return ticks;
}

/** Counted from now while time moves; otherwise clock times. */
export function timeLabel(timeMs: number, { endMs, frozen }: Moment): string {
  if (frozen !== undefined) return clock(timeMs);
  const ago = Math.round((endMs - timeMs) / 1000);
  return ago === 0 ? "now" : `−${ago} s`;
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
