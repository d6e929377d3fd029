/** Event time behind groupBy: it does not pass an upstream partition that is behind. On a broker: group-by.integration.test.ts. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  Bench,
  bruteForce,
  type Reading,
  recordOf,
  valuesOf,
  windowedSource,
} from "../../test-support/readings.ts";
import type { IncomingRecord } from "../ports.ts";
import { ReadChangelog } from "../state/changelog.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../state/checkpoint.ts";
import type { SourceNode } from "../topology/nodes.ts";
import { type Progress, progressRecords, Upstreams } from "./upstreams.ts";

const shape = {
  ...{ kind: "trailing" as const, sizeMs: 30, everyMs: 10, allowedLatenessMs: 0 },
  ...{ idleAfterMs: 5, maxFutureMs: 1_000_000 },
};
const source: SourceNode = { ...windowedSource(shape), repartition: { name: "r", upstream: ["in"] } };

function said(partition: number, progress: Progress, offset: number): IncomingRecord {
  const [record] = progressRecords({ topic: "in", partition }, progress, { topic: "r", partitions: 1 }, 0);
  return {
    topic: "r",
    partition: 0,
    offset,
    key: null,
    value: null,
    timestampMs: 0,
    headers: record?.headers ?? {},
  };
}

/** Of each upstream partition its readings in order, and how they come one after the other. */
const gaps = fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 15 });
const turns = fc.infiniteStream(fc.boolean());

test("no record is late because it was processed later than others, restarts included", async () => {
  await fc.assert(
    fc.asyncProperty(gaps, gaps, turns, turns, async (first, second, whose, isRestart) => {
      const bench = new Bench(source);
      const all: Reading[] = [];
      const changelog: Changes = [];
      const left = [first, second].map((list, partition) => {
        let atMs = 100;
        return list.map((gapMs): Reading => {
          atMs += gapMs;
          return { key: `k${partition}`, atMs, x: 1 };
        });
      });
      let offset = 0;
      await bench.partition.process(said(0, Number.NEGATIVE_INFINITY, offset++));
      await bench.partition.process(said(1, Number.NEGATIVE_INFINITY, offset++));
      while (left.some((list) => list.length > 0)) {
        const partition = whose.next().value === true ? 1 : 0;
        const next = left[partition]?.shift();
        if (next !== undefined) {
          all.push(next);
          await bench.partition.process(recordOf(next, offset++));
          const isBehind = (left[partition]?.length ?? 0) > 0;
          await bench.partition.process(said(partition, isBehind ? next.atMs : undefined, offset++));
        }
        if (isRestart.next().value === true) bench.partition = takenUp(bench, changelog);
      }
      expect(bench.deadLetters).toEqual([]);
      const lastMs = Math.max(...all.map(({ atMs }) => atMs));
      expect(valuesOf(bench.told)).toEqual(bruteForce(all, shape, lastMs));
    }),
    { numRuns: 300 },
  );
});

type Changes = ReturnType<Bench["partition"]["takeNews"]>["changes"];

/** By another process, from what was written and noted. */
function takenUp(bench: Bench, changelog: Changes): Bench["partition"] {
  const { note, changes } = bench.partition.takeNews();
  const checkpoint = decodeCheckpoint(encodeCheckpoint(note.checkpoint));
  changelog.push(...changes);
  const next = bench.fresh(note.position);
  if (checkpoint !== undefined) next.restore(checkpoint);
  const read = new ReadChangelog();
  for (const { id, text } of changelog) {
    const key = Buffer.from(`${id.owner}/${id.commit}/${id.part}`);
    read.take({ key, value: text === undefined ? null : Buffer.from(text) });
  }
  for (const _ of next.load("w", read));
  return next;
}
test("event time does not advance by itself while somebody is behind", async () => {
  const bench = new Bench(source);
  await bench.partition.process(said(0, 100, 0));
  await bench.partition.process(recordOf({ key: "a", atMs: 200, x: 1 }, 1));
  await bench.partition.elapse(1_000, true);
  expect(bench.partition.clockMs).toBe(100);
  await bench.partition.process(said(0, undefined, 2));
  expect(bench.partition.clockMs).toBe(200);
  await bench.partition.elapse(1_000, true);
  expect(bench.partition.clockMs).toBe(1_200);
});

test("what is known of those that are behind is read as it was written", () => {
  const upstreams = new Upstreams();
  expect(upstreams.limitMs).toBe(Number.POSITIVE_INFINITY);
  upstreams.take(said(0, 1_700_000_000_000, 0));
  upstreams.take(said(1, Number.NEGATIVE_INFINITY, 1));
  expect(Upstreams.decode(upstreams.encode())).toEqual(upstreams);
  expect(upstreams.limitMs).toBe(Number.NEGATIVE_INFINITY);
  upstreams.take(said(1, undefined, 2));
  expect(upstreams.limitMs).toBe(1_700_000_000_000);
});
