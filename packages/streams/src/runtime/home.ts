/** Whether a record lies where its key belongs. */
import type { RecordContext } from "../topology/nodes.ts";
import type { Numbers } from "./numbers.ts";

export interface HomePorts {
  readonly numbers: Numbers;
  /** Whether records of the key belong into this partition; undefined where there is only one. */
  readonly isHome?: ((key: string) => boolean) | undefined;
  warn(fields: object, message: string): void;
}

/** A window sees one partition: of a key whose records lie in several, each would tell its own share. */
export function checkHome(
  { topic, partition, offset, key }: RecordContext,
  { isHome, numbers, warn }: HomePorts,
): void {
  if (isHome === undefined || isHome(key)) return;
  numbers.count("records_misplaced", topic);
  const reason = "it was written without its key, or by a producer whose partitioner is not murmur2";
  warn(
    { topic, partition, offset, key, reason },
    "a record is not in its key's partition; its windows are split",
  );
}
