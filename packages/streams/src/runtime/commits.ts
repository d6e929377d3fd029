/** How what the tasks tell gets to Kafka, and how their positions are noted with it: what a guarantee consists of. */
import type { ConsumerSession, TopicPartition } from "../io/consumer-session.ts";
import type { Outlet } from "./outlet.ts";
import type { Positions, Tasks } from "./tasks.ts";

/**
 * What is guaranteed when a process or a broker dies.
 *
 * - `at-least-once`: nothing is lost; outputs since the last commit are written again.
 * - `exactly-once`: in addition, `read_committed` readers see no duplicates: outputs and offset are one transaction.
 */
export type Guarantee = "at-least-once" | "exactly-once";

export interface Commits {
  /** Since when nothing can be delivered, wall clock in milliseconds; undefined while all is well. */
  readonly unreachable: { readonly sinceMs: number; readonly reason: string } | undefined;
  /** Kafka has refused permanently: nothing more will be delivered. */
  readonly refusal: Error | undefined;
  /** The other partitions are not ours any more. */
  keepOnly(partitions: readonly TopicPartition[]): void;
  /**
   * Takes the partitions over from whoever had them: from here on nothing of theirs counts. Returns whether positions that
   * were read before may have changed.
   */
  acquire(partitions: readonly TopicPartition[]): Promise<boolean>;
  outletOf(at: TopicPartition): Outlet;
  /** Notes where tasks begin, with what they have to say before. */
  note(session: ConsumerSession, beginnings: readonly Positions[]): Promise<void>;
  /** Commits where the tasks stand, when Kafka has all that they told up to there. Never rejects. */
  commit(session: ConsumerSession, tasks: Tasks, isLast: boolean): Promise<void>;
  close(deadlineMs: number): Promise<void>;
}
