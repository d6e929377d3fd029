/** What a window's result says of itself beside its value. */
import type { Headers } from "../ports.ts";
import type { WindowNode } from "../topology/nodes.ts";
import type { Told } from "../windows/window-state.ts";

/** The headers of a window result. */
export const resultHeaders = {
  /** app/window/key/end, for sessions app/window/key/start-end. A result that is emitted again has the same id. */
  id: "kelvin-result-id",
  revision: "kelvin-revision",
  /** Milliseconds since the epoch, inclusive. */
  start: "kelvin-window-start",
  /** Milliseconds since the epoch, exclusive. */
  end: "kelvin-window-end",
} as const;

type Identity = Pick<Told, "key" | "startMs" | "endMs" | "revision">;

export function resultHeadersOf(app: string, { name, shape }: WindowNode, result: Identity): Headers {
  const { key, startMs, endMs, revision } = result;
  // A session's bounds are made by its records: its end alone is not its name.
  const window = shape.kind === "session" ? `${startMs}-${endMs}` : endMs;
  return {
    [resultHeaders.id]: `${app}/${name}/${key}/${window}`,
    [resultHeaders.revision]: String(revision),
    [resultHeaders.start]: String(startMs),
    [resultHeaders.end]: String(endMs),
  };
}
