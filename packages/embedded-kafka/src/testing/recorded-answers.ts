/**
 * What a real Apache Kafka answered to the questions of the conformance tests, so that they are compared field by field
 * where there is no Java. `npm run record-answers` asks one again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect } from "vitest";
import { fetch } from "../protocol/messages/fetch.ts";
import type { Api } from "../protocol/schema.ts";
import { Masks, type Plain } from "./masking.ts";

/** Names the version of the Apache Kafka that KAFKA_BROKERS is: its answers are recorded. Else they are compared. */
const RECORD = process.env["KELVIN_RECORD_ANSWERS"];
/** A cluster that the tests were given speaks for itself. Without one they have the embedded broker. */
export const IS_EMBEDDED = process.env["KELVIN_EMBEDDED_CLUSTER"] === "true";

/** Answers that tell of everything on a cluster, which others use as well: what the test did not name is left out. */
const OF_ALL = new Set(["ListGroups", "ListTransactions"]);

interface Exchange {
  readonly request: string;
  readonly response: string;
}

interface Recording {
  readonly kafka: string;
  /** Every question that was asked, in any test. */
  readonly requests: readonly string[];
  readonly responses: readonly string[];
  /** By the test's name: pairs of indices, in the order in which they came. */
  readonly tests: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

let masks = new Masks();
let exchanges: Exchange[] = [];

/** Hears what a cluster says to a test. */
export function heardFromCluster(api: Api, version: number, request: object, response: object): void {
  if (expect.getState().currentTestName === undefined || isOfWholeCluster(api, request)) return;
  const asked = masks.message(api.request, request);
  const answered = masks.message(api.response, OF_ALL.has(api.name) ? onlyNamed(response) : response);
  exchanges.push({
    request: `${api.name} ${version} ${JSON.stringify(asked)}`,
    response: JSON.stringify(answered),
  });
}

/**
 * What the whole cluster does is in its internal topics, and in answers about all topics; a test that asks for them says what
 * has to be there. A Fetch without topics is about those of its session.
 */
function isOfWholeCluster(api: Api, request: object): boolean {
  const asked = JSON.stringify(request);
  const isOfAllTopics = api !== fetch && /"topics":(null|\[\])/.test(asked);
  return isOfAllTopics || /"__(consumer_offsets|transaction_state)"/.test(asked);
}

/** How many answers the running test has heard. */
export const heardSoFar = (): number => exchanges.length;

/** A question that is asked until the answer is another one: what came before is a matter of time, on any cluster. */
export function forgetSince(count: number): void {
  if (RECORD === undefined) exchanges.splice(count);
}

/** Without the elements of lists that have a name, and one that the test has not used. */
function onlyNamed(response: object): object {
  const named = (element: unknown): boolean => {
    if (typeof element !== "object" || element === null) return true;
    const names = Object.entries(element).filter(
      ([key, value]) => /^(name|groupId|transactionalId)$/.test(key) && typeof value === "string",
    );
    return names.every(([, name]) => masks.knows(String(name)));
  };
  return Object.fromEntries(
    Object.entries(response).map(([key, value]) => [key, Array.isArray(value) ? value.filter(named) : value]),
  );
}

/** To be called once in a file of conformance tests. */
export function answersAreRecorded(testFile: string): void {
  const name = basename(testFile).replace(".integration.test.ts", "");
  const file = fileURLToPath(new URL(`../../golden/answers/${name}.json`, import.meta.url));
  const heard = new Map<string, readonly Exchange[]>();
  const recording = RECORD === undefined && IS_EMBEDDED ? read(file) : undefined;

  afterEach(({ task }) => {
    const [of, test] = [exchanges, expect.getState().currentTestName ?? task.name];
    exchanges = [];
    masks = new Masks();
    heard.set(test, of);
    if (recording !== undefined && task.result?.state !== "fail") compare(test, of, recording);
  });
  afterAll(() => {
    if (RECORD !== undefined) writeFileSync(file, text(RECORD, heard));
  });
}

function read(file: string): Recording {
  const recording: Recording = JSON.parse(readFileSync(file, "utf8"));
  return recording;
}

function text(kafka: string, heard: ReadonlyMap<string, readonly Exchange[]>): string {
  const all = [...heard.values()].flat();
  const requests = [...new Set(all.map(({ request }) => request))];
  const responses = [...new Set(all.map(({ response }) => response))];
  const tests = [...heard].map(([test, of]) => [
    test,
    of.map(({ request, response }) => [requests.indexOf(request), responses.indexOf(response)]),
  ]);
  const recording = { kafka, requests, responses, tests: Object.fromEntries(tests) };
  // One line for each text and each test: a change shows where it is.
  return `${JSON.stringify(recording, null, 1).replace(/\[\s+([\d,\s[\]]+?)\s+\](?=,?\n)/g, (list) => list.replace(/\s+/g, ""))}\n`;
}

/**
 * Each question was asked of Apache Kafka in the same test, and each answer that it has here it had there. In what order they come
 * is the test's own affair: a real cluster answers more while it gets ready, and members that come at once come in any order.
 */
function compare(
  test: string,
  heard: readonly Exchange[],
  { kafka, requests, responses, tests }: Recording,
): void {
  const recorded = tests[test];
  if (recorded === undefined) throw new NotRecordedError(`the test "${test}"`);
  const there = Map.groupBy(recorded, ([request]) => requests[request] ?? "");
  for (const { request, response } of heard) {
    const answers = there.get(request)?.map(([, index]) => responses[index] ?? "");
    if (answers === undefined) throw new NotRecordedError(request);
    if (answers.includes(response)) continue;
    expect(parsed(response), `${request} on Apache Kafka ${kafka}`).toEqual(parsed(answers.at(-1) ?? ""));
  }
}

const parsed = (json: string): Plain => JSON.parse(json);

/** A question has no recorded answer. */
class NotRecordedError extends Error {
  override readonly name = "NotRecordedError";
  readonly code = "TEST_NOT_RECORDED";

  constructor(what: string) {
    super(`What Apache Kafka answers is not recorded for ${what}: npm run record-answers (Java 17, Maven).`);
  }
}
