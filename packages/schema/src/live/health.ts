/** Whether what a page shows can be believed: Kafka, the pipelines, rejected records. */
import type { PipelineName } from "../flow.ts";
import { isFlag, isNumber, isPipelineName, isText, list, oneOf, orNull, record } from "./guards.ts";

/** Whether what the page shows can be believed. */
export interface Health {
  nowMs: number;
  /** False until the server has read up to the topics' ends as they were at its start. */
  ready: boolean;
  /** `dataUpToMs`: newest event time on the page when Kafka was lost; null: none yet. `sinceMs` null while up. */
  kafka: { up: boolean; sinceMs: number | null; dataUpToMs: number | null };
  /** In the order of the flow; always all three. */
  pipelines: PipelineHealth[];
  rejected: Rejected;
  /** Devices forgotten because more spoke than the server keeps (10,000 by default). */
  devicesDropped: number;
}

/** How far one pipeline has got, by the positions that its consumer group committed. */
export interface PipelineHealth {
  name: PipelineName;
  /**
   * `up-to-date`: has done all that was there a few seconds ago. `behind`: has not. `gone`: nobody runs it.
   * `unknown`: could not be asked yet, or Kafka is down.
   */
  state: "up-to-date" | "behind" | "gone" | "unknown";
  /** Records it has still to do; null where not known. */
  behind: number | null;
  /** Since when it is in this state; `behind` and `gone`: since when it has not been up to date. */
  sinceMs: number;
}

/** Records that did not fit their topic's schema and are not shown. */
export interface Rejected {
  /** Since the server's start, the window before it included. */
  count: number;
  last: { topic: string; partition: number; offset: string; reason: string; atMs: number } | null;
}

/** Whether this is a {@link Health}. */
export const isHealth = record<Health>({
  nowMs: isNumber,
  ready: isFlag,
  kafka: record({ up: isFlag, sinceMs: orNull(isNumber), dataUpToMs: orNull(isNumber) }),
  pipelines: list(
    record<PipelineHealth>({
      name: isPipelineName,
      state: oneOf<PipelineHealth["state"]>("up-to-date", "behind", "gone", "unknown"),
      behind: orNull(isNumber),
      sinceMs: isNumber,
    }),
  ),
  rejected: record<Rejected>({
    count: isNumber,
    last: orNull(
      record({ topic: isText, partition: isNumber, offset: isText, reason: isText, atMs: isNumber }),
    ),
  }),
  devicesDropped: isNumber,
});
