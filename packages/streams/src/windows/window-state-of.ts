/** The arithmetic of a window, by its kind. */
import type { WindowNode } from "../topology/nodes.ts";
import { HoppingWindows } from "./hopping-windows.ts";
import { SessionWindows } from "./session-windows.ts";
import { SlidingWindows } from "./sliding-windows.ts";
import { TrailingPanes } from "./trailing-panes.ts";
import type { WindowState } from "./window-state.ts";

export function windowStateOf({ shape, aggregates }: WindowNode): WindowState {
  switch (shape.kind) {
    case "trailing":
      return new TrailingPanes(shape, aggregates);
    case "hopping":
      return new HoppingWindows(shape, aggregates);
    case "sliding":
      return new SlidingWindows(shape, aggregates);
    case "session":
      return new SessionWindows(shape, aggregates);
  }
}
