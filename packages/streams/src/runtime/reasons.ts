/** Why a record does not count in a window, in words. */
import { durationText } from "../topology/duration.ts";
import type { WindowNode } from "../topology/nodes.ts";
import { latenessOf } from "../windows/window-state.ts";

export function futureReason(timestampMs: number, { shape }: WindowNode): string {
  return `its event time ${isoTime(timestampMs)} is more than ${durationText(shape.maxFutureMs)} ahead of the clock`;
}

export function lateReason(timestampMs: number, { shape }: WindowNode): string {
  return `its event time ${isoTime(timestampMs)} is more than ${durationText(latenessOf(shape))} behind`;
}

function isoTime(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
