/** A window as one partition has it: its clock, how far it has come, its state. */
import type { Tellings, WindowCheckpoint } from "../state/checkpoint.ts";
import { regroupedTo, type SourceNode, type WindowNode, windowsOf } from "../topology/nodes.ts";
import { StreamClock } from "../windows/stream-clock.ts";
import type { Told, Untold, WindowState } from "../windows/window-state.ts";
import { windowStateOf } from "../windows/window-state-of.ts";

export interface PartitionWindow {
  readonly node: WindowNode;
  clock: StreamClock;
  /** How far its state has followed the clock. */
  reachedMs: number | undefined;
  /** How far what that made due has been told. */
  toldMs: number | undefined;
  readonly state: WindowState;
  /**
   * Its results continue under another key, where each counts once: they are told in the same order again, and numbered, and
   * time makes none that is not noted before.
   */
  readonly isRegrouped: boolean;
  tellings: Tellings;
}

export function partitionWindowsOf(source: SourceNode): PartitionWindow[] {
  return windowsOf(source).map((node) => ({
    node,
    clock: new StreamClock(node.shape),
    reachedMs: undefined,
    toldMs: undefined,
    state: windowStateOf(node),
    isRegrouped: regroupedTo(node).length > 0,
    tellings: { revision: 0, count: 0 },
  }));
}

/** Goes on where another life has noted that it stood. */
export function resume(window: PartitionWindow, noted: WindowCheckpoint): void {
  window.clock = new StreamClock(window.node.shape, noted.clockMs);
  window.reachedMs = noted.clockMs;
  window.toldMs = noted.toldMs;
  window.tellings = noted.tellings ?? window.tellings;
  window.state.restore(noted.toldMs);
}

/** Where it stands. */
export function standing({ reachedMs, toldMs, tellings }: PartitionWindow): WindowCheckpoint {
  return { clockMs: reachedMs, toldMs, ...(tellings.count > 0 && { tellings }) };
}

/** What event time has made due, in an order that does not depend on who has gathered it. */
export function dueOf(window: PartitionWindow, untilMs: number, revision: number): (Told | Untold)[] {
  const due = window.state.advance(untilMs, revision);
  return window.isRegrouped ? due.sort(inOrder) : due;
}

/** The place of a result among those that are told of the same position. */
export function ordinalOf(window: PartitionWindow, revision: number): number {
  const { tellings } = window;
  const count = tellings.revision === revision ? tellings.count : 0;
  window.tellings = { revision, count: count + 1 };
  return count;
}

/** Whether time has made something due that must be noted before it is told; undefined where nothing must be. */
export function mustNote(
  { state, isRegrouped: isCounted }: PartitionWindow,
  clockMs: number,
): boolean | undefined {
  return isCounted || state.isMadeByRecords ? state.isDue(clockMs) : undefined;
}

function inOrder(left: Told | Untold, right: Told | Untold): number {
  if (left.endMs !== right.endMs) return left.endMs - right.endMs;
  if (left.startMs !== right.startMs) return left.startMs - right.startMs;
  return left.key < right.key ? -1 : 1;
}

/** Event time has come so far for the window. */
export function follow(window: PartitionWindow, untilMs: number | undefined): void {
  if (untilMs === undefined) return;
  window.reachedMs = Math.max(window.reachedMs ?? untilMs, untilMs);
}
