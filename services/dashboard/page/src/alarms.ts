/**
 * Whether open alerts are known to be open. A page that hears nothing of the alert pipeline, or of one that stands
 * still, can't know: then neither an alert nor its end is told as a fact, but as unknown since when.
 */
import type { PipelineHealth } from "@kelvin/schema/live";
import type { Store } from "./store.ts";

export type AlarmKnowledge =
  | { readonly isSure: true }
  | {
      readonly isSure: false;
      /** Undefined: it was never known. */
      readonly sinceMs: number | undefined;
      readonly why: string;
    };

export function alarmKnowledge({ link, health, episodesKnown }: Store): AlarmKnowledge {
  if (link.state === "connecting") return unsure(episodesKnown ? link.sinceMs : undefined, "not connected");
  if (health === undefined || !episodesKnown) return unsure(undefined, "not known yet");
  const { kafka, ready, pipelines } = health;
  if (!kafka.up) return unsure(kafka.sinceMs ?? undefined, "Kafka is unreachable");
  if (!ready) return unsure(undefined, "the topics are still being read");
  const pipeline = pipelines.find(({ name }) => name === "alert");
  if (pipeline?.state === "up-to-date") return { isSure: true };
  return unsure(pipeline?.sinceMs, (pipeline && faultOf(pipeline)) ?? "alert is not known to be up to date");
}

/** What is wrong with a pipeline, where that is known: `alert is not running`. */
export function faultOf({ name, state }: PipelineHealth): string | undefined {
  if (state === "gone") return `${name} is not running`;
  return state === "behind" ? `${name} is behind` : undefined;
}

/** From when on it is unknown whether an alert whose last reading was at `lastMs` is still open. */
export function unknownSince({ sinceMs }: { sinceMs: number | undefined }, lastMs: number): number {
  return Math.max(sinceMs ?? lastMs, lastMs);
}

function unsure(sinceMs: number | undefined, why: string): AlarmKnowledge {
  return { isSure: false, sinceMs, why };
}
