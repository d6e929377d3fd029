/** A window as one partition has it: its clock, how far it has come, its state. */
import { type SourceNode, type WindowNode, windowsOf } from "../topology/nodes.ts";
import { StreamClock } from "../windows/stream-clock.ts";
import type { WindowState } from "../windows/window-state.ts";
import { windowStateOf } from "../windows/window-state-of.ts";

export interface PartitionWindow {
  readonly node: WindowNode;
  clock: StreamClock;
  /** How far its state has followed the clock. */
  reachedMs: number | undefined;
  /** How far what that made due has been told. */
  toldMs: number | undefined;
  readonly state: WindowState;
}

export function partitionWindowsOf(source: SourceNode): PartitionWindow[] {
  return windowsOf(source).map((node) => ({
    node,
    clock: new StreamClock(node.shape),
    reachedMs: undefined,
    toldMs: undefined,
    state: windowStateOf(node),
  }));
}

/** Event time has come so far for the window. */
export function follow(window: PartitionWindow, untilMs: number | undefined): void {
  if (untilMs === undefined) return;
  window.reachedMs = Math.max(window.reachedMs ?? untilMs, untilMs);
}
