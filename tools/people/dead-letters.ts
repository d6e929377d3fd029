/** Dead letters as records that go back to where they came from, and which of them do. */
import { type DeadLetter, type DeadLetterCode, deadLetterHeaders, parseDeadLetter } from "@kelvin/streams";
import type { IHeaders, KafkaMessage } from "kafkajs";

/** A record in a dead-letter topic. */
export interface LyingLetter {
  /** Where it lies, not where its record came from. */
  readonly partition: number;
  readonly offset: number;
  readonly letter: DeadLetter;
  readonly message: KafkaMessage;
}

/** Letters of one pipeline and code in one partition: they go back in their order, or not at all. */
export function kindOf({ partition, letter }: Pick<LyingLetter, "partition" | "letter">): string {
  return JSON.stringify([partition, letter.pipeline, letter.code]);
}

export interface Choice {
  readonly pipeline: string | undefined;
  readonly codes: readonly string[];
  /** Up to where the letters of a kind went back before. */
  readonly progress: ReadonlyMap<string, number>;
  readonly limit: number;
}

/** What becomes of a letter, and why. */
export type Lot = "to send" | "already sent" | "not selected" | "can't be sent" | "beyond the limit";

/** The default codes; `late` ones would be too late again. */
export const USUAL_CODES: readonly DeadLetterCode[] = ["undecodable", "failed", "refused", "future"];

/** Decides about each letter; none is skipped in favour of a later one of its kind. */
export function lotsOf(letters: readonly LyingLetter[], choice: Choice): Map<LyingLetter, Lot> {
  let left = choice.limit;
  const lots = new Map<LyingLetter, Lot>();
  for (const each of letters) {
    const lot = lotOf(each, choice);
    if (lot === "to send" && left-- <= 0) lots.set(each, "beyond the limit");
    else lots.set(each, lot);
  }
  return lots;
}

function lotOf(lying: LyingLetter, { pipeline, codes, progress }: Choice): Lot {
  const { letter, offset, message } = lying;
  // What lies there is a window's result, or not all of the record.
  if (letter.code === "result-failed" || message.headers?.[deadLetterHeaders.cutFrom] !== undefined)
    return "can't be sent";
  if ((pipeline !== undefined && letter.pipeline !== pipeline) || !codes.includes(letter.code))
    return "not selected";
  return offset < (progress.get(kindOf(lying)) ?? 0) ? "already sent" : "to send";
}

/** undefined where the record is no letter of that topic's. */
export function letterOf(message: KafkaMessage, partition: number, topic: string): LyingLetter | undefined {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, [value].flat().at(-1)]);
  const letter = parseDeadLetter(Object.fromEntries(headers));
  if (letter?.source.topic !== topic) return undefined;
  return { partition, offset: Number(message.offset), letter, message };
}

/** The headers that the record had. */
export function ownHeaders(headers: IHeaders = {}): IHeaders {
  const ours: readonly string[] = Object.values(deadLetterHeaders);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ours.includes(name)));
}
