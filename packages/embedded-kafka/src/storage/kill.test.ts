/** The broker as a program, killed with SIGKILL while it is written to, again and again, and started on its folder. */
import { expect, test } from "vitest";
import { errorCode } from "../protocol/error-codes.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { batchSizeAt } from "../records/batch.ts";
import { readRecords } from "../records/record.ts";
import { append, batchOf, eventually, fetchOne, freshTopic } from "../testing/cluster-under-test.ts";
import { Program } from "../testing/program.ts";
import { randomOf } from "../testing/random.ts";
import { ConnectionClosedError, RawClient } from "../testing/raw-client.ts";
import { TemporaryFolder } from "../testing/temporary-folder.ts";

const SEED = 20_260_101;
const ROUNDS = 6;
const PARTITIONS = 3;
/** Times 50 ms, on a busy machine. */
const TRIES = 500;
/** Small, so that segments end while the broker is killed. */
const CONFIGS = ["log.segment.bytes=1048576", "log.retention.bytes=-1"];

/** What a producer was promised, and the batch of which it does not know. */
class Producer {
  readonly partition: number;
  readonly acknowledged: string[] = [];
  #sequence = 0;
  /** Sent, and not yet answered. */
  #pending: { values: string[]; sequence: number } | null = null;

  constructor(partition: number) {
    this.partition = partition;
  }

  /** Sends until the broker is gone; first what it does not know the answer to, again. */
  async run(client: RawClient, random: () => number): Promise<void> {
    try {
      for (;;) {
        this.#pending ??= this.#next(random);
        const { values, sequence: baseSequence } = this.#pending;
        const identity = { producerId: 5000 + this.partition, producerEpoch: 0, baseSequence };
        const answer = await append(client, "t", batchOf(values, identity), { partition: this.partition });
        expect(answer.errorCode).toBe(errorCode.none);
        expect(answer.baseOffset).toBe(this.acknowledged.length);
        this.acknowledged.push(...values);
        this.#pending = null;
      }
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }

  /** In no record yet that was acknowledged. */
  get inFlight(): readonly string[] {
    return this.#pending?.values ?? [];
  }

  #next(random: () => number) {
    const count = 1 + Math.floor(random() * 5);
    const sequence = this.#sequence;
    this.#sequence += count;
    const values = Array.from(
      { length: count },
      (_, index) => `${sequence + index}:${"x".repeat(Math.floor(random() * 20_000))}`,
    );
    return { values, sequence };
  }
}

async function readAll(client: RawClient, partition: number): Promise<string[]> {
  const values: string[] = [];
  for (;;) {
    const answer = await fetchOne(client, "t", values.length, { partition });
    expect(answer.errorCode).toBe(0);
    const bytes = answer.records ?? Buffer.alloc(0);
    // A run of batches.
    for (let at = 0; at < bytes.length; at += batchSizeAt(bytes, at) ?? bytes.length) {
      for (const record of readRecords(bytes.subarray(at, at + (batchSizeAt(bytes, at) ?? 0)))) {
        expect(record.offset).toBe(values.length);
        values.push(String(record.value));
      }
    }
    if (values.length >= answer.highWatermark) return values;
  }
}

test.runIf(process.platform !== "win32")(
  "whatever was acknowledged is there after kill -9, in order and once, and repeats are known",
  { timeout: 120_000 },
  async () => {
    using folder = new TemporaryFolder();
    const random = randomOf(SEED);
    const producers = Array.from({ length: PARTITIONS }, (_, partition) => new Producer(partition));
    const says = () => `seed ${SEED}`;
    let committed = -1;
    for (let round = 0; round <= ROUNDS; round++) {
      await using program = new Program(folder.path, CONFIGS);
      const address = await program.address();
      await using client = await RawClient.to(address);
      if (round === 0) await freshTopic(client, { name: "t", partitions: PARTITIONS });
      for (const { partition, acknowledged, inFlight } of producers) {
        const there = await readAll(client, partition);
        // All that was acknowledged, and behind it all or nothing of what was on its way.
        const more = there.length > acknowledged.length ? inFlight : [];
        expect(there, says()).toEqual([...acknowledged, ...more]);
      }
      const offsets = await client.send(offsetFetch, 5, {
        groupId: "g",
        topics: [{ name: "t", partitionIndexes: [0] }],
      });
      const kept = offsets.topics[0]?.partitions[0]?.committedOffset ?? -1;
      expect(kept, says()).toBeGreaterThanOrEqual(committed);
      if (round === ROUNDS) break;
      // Each its own connection, and one that commits; the kill comes at any moment of all that.
      const running = producers.map(async (producer) => {
        await using own = await RawClient.to(address);
        await producer.run(own, random);
      });
      const committing = (async () => {
        try {
          for (let offset = Math.max(kept, 0); ; offset++) {
            const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: "" }];
            const { topics } = await client.send(offsetCommit, 7, {
              groupId: "g",
              generationIdOrMemberEpoch: -1,
              memberId: "",
              topics: [{ name: "t", partitions }],
            });
            if (topics[0]?.partitions[0]?.errorCode === 0) committed = offset;
          }
        } catch (error) {
          if (!(error instanceof ConnectionClosedError)) throw error;
        }
      })();
      // Enough of everything, and then at any moment of it.
      const enough = 10 + Math.floor(random() * 10);
      const counts = () => [committed, ...producers.map(({ acknowledged }) => acknowledged.length)];
      const before = counts();
      const grown = () => counts().every((count, index) => count >= (before[index] ?? 0) + enough);
      const worked = eventually("work", async () => (grown() ? true : null), TRIES);
      await Promise.race([worked, Promise.all([...running, committing])]);
      await program.kill();
      await Promise.all([...running, committing]);
    }
  },
);
