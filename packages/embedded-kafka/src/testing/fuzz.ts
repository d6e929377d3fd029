/**
 * Rounds of requests that no client would send, each on a broker of its own: random values of every message in every version,
 * whole, cut off and mutated, beside a client that does as it should and whose partition is a plain array. The broker has to
 * live on, to answer, to fail in no handler, and to keep the array. All of a round is the seed's.
 */
import { setTimeout as after } from "node:timers/promises";
import fc from "fast-check";
import { between, chance } from "../faults/chance.ts";
import { handlers } from "../handlers/index.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import type { Api } from "../protocol/schema.ts";
import { append, batchOf, create, fetchOne } from "./cluster-under-test.ts";
import { consumed } from "./consumed.ts";
import { frame, type RawClient } from "./raw-client.ts";
import { arbitraryOf, toEncodable, versionsOf } from "./samples.ts";
import { type Started, started } from "./started.ts";

const STEPS = 60;
const TOPIC = "model";
const PATIENCE_MS = 10_000;

/** The broker did what it must not, in the round of this seed. */
export class FuzzError extends Error {
  override readonly name = "FuzzError";
  readonly code = "TEST_FUZZ";

  constructor(seed: number, what: string, options?: ErrorOptions) {
    super(`seed ${seed}: ${what}`, options);
  }
}

/** One round; how many frames were sent. */
export async function fuzzRound(seed: number): Promise<number> {
  const next = randomNumbers(seed);
  await using on = await started({ numPartitions: 1, configs: { "log.cleaner.backoff.ms": "50" } });
  const model = await Model.on(on.client);
  const sent: string[] = [];
  try {
    let bad = await on.connect();
    for (let step = 0; step < STEPS; step++) {
      if (next(3) === 0) {
        await withPatience("the model's step", model.step(next));
        continue;
      }
      const { name, bytes } = frameOf(next);
      sent.push(`${name} ${bytes.toString("base64")}`);
      bad.write(bytes);
      // What waits for an answer, or was shut out, makes room for another.
      if (next(4) === 0) {
        await bad[Symbol.asyncDispose]();
        bad = await on.connect();
      }
    }
    await withPatience("ApiVersions", on.client.send(apiVersions, 0, {}));
    await withPatience("the model's end", model.check());
  } catch (cause) {
    throw new FuzzError(seed, `${String(cause)}\nsent:\n${sent.join("\n")}`, { cause });
  }
  const failures = failuresOf(on);
  if (failures.length > 0) throw new FuzzError(seed, `${failures.join("\n")}\nsent:\n${sent.join("\n")}`);
  return sent.length;
}

/** What a handler threw is logged as an error; a decode error, which closes a connection, is not. */
const failuresOf = ({ logged }: Started): string[] => logged.filter((line) => line.startsWith("error "));

async function withPatience<T>(what: string, work: Promise<T>): Promise<T> {
  const late = after(PATIENCE_MS, undefined, { ref: false }).then((): never => {
    throw new RangeError(`${what}: no answer in ${PATIENCE_MS} ms`);
  });
  return Promise.race([work, late]);
}

/** Numbers below a limit, by the seed. */
type Next = (limit: number) => number;

function randomNumbers(seed: number): Next {
  let count = 0;
  return (limit) => between(chance(seed, count++), 0, limit - 1);
}

/** A random value of a random message; as it is, cut off, or with some of its bytes changed, left out or added. */
function frameOf(next: Next): { name: string; bytes: Buffer } {
  const apis: readonly Api[] = handlers.map(({ api }) => api);
  const api = apis[next(apis.length)] ?? apiVersions;
  const versions = versionsOf(api);
  const version = versions[next(versions.length)] ?? 0;
  const [value = {}] = fc.sample(arbitraryOf(api, "request", version), { seed: next(2 ** 31), numRuns: 1 });
  const whole = frame(api, version, toEncodable(api.request, value));
  const name = `${api.name} ${version}`;
  switch (next(4)) {
    case 0:
      return { name, bytes: whole };
    case 1:
      // With a length that fits, so that it comes as far as the decoder.
      return { name: `${name}, cut`, bytes: withItsLength(whole.subarray(0, 12 + next(whole.length))) };
    default: {
      const mutated = mutate(whole, next);
      return { name: `${name}, mutated`, bytes: next(8) === 0 ? mutated : withItsLength(mutated) };
    }
  }
}

function withItsLength(bytes: Buffer): Buffer {
  const copy = Buffer.concat([bytes, Buffer.alloc(Math.max(0, 12 - bytes.length))]);
  copy.writeInt32BE(copy.length - 4, 0);
  return copy;
}

/** After the head, that some of it may be served. */
const HEAD = 4 + 8;

function mutate(whole: Buffer, next: Next): Buffer {
  let bytes = Buffer.from(whole);
  for (let left = 1 + next(4); left > 0; left--) {
    const at = Math.min(HEAD + next(Math.max(1, bytes.length - HEAD)), bytes.length - 1);
    switch (next(4)) {
      case 0:
        bytes[at] = next(256);
        break;
      case 1:
        bytes[at] = [0x00, 0x7f, 0x80, 0xff][next(4)] ?? 0;
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + next(8))]);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.alloc(1 + next(8), next(256)),
          bytes.subarray(at),
        ]);
    }
    if (bytes.length <= HEAD) return bytes;
  }
  return bytes;
}

/** A partition whose records are the elements of an array. */
class Model {
  readonly #client: RawClient;
  readonly #values: string[] = [];
  #start = 0;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async on(client: RawClient): Promise<Model> {
    await create(client, { name: TOPIC });
    return new Model(client);
  }

  async step(next: Next): Promise<void> {
    const choice = next(6);
    if (choice < 3) return this.#write(1 + next(5));
    if (choice < 5) return this.check();
    return this.#delete(this.#start + next(this.#values.length - this.#start + 1));
  }

  async #write(count: number): Promise<void> {
    const values = Array.from({ length: count }, (_, index) => `v${this.#values.length + index}`);
    const { errorCode, baseOffset } = await append(this.#client, TOPIC, batchOf(values));
    if (errorCode !== 0 || baseOffset !== this.#values.length) {
      throw new RangeError(
        `Produce: error ${errorCode}, offset ${baseOffset}, expected ${this.#values.length}`,
      );
    }
    this.#values.push(...values);
  }

  async #delete(offset: number): Promise<void> {
    const partitions = [{ partitionIndex: 0, offset }];
    const { topics } = await this.#client.send(deleteRecords, 2, {
      topics: [{ name: TOPIC, partitions }],
      timeoutMs: 1000,
    });
    const answer = topics[0]?.partitions[0];
    if (answer?.errorCode !== 0 || answer.lowWatermark !== offset) {
      throw new RangeError(`DeleteRecords up to ${offset}: ${JSON.stringify(answer)}`);
    }
    this.#start = offset;
  }

  async check(): Promise<void> {
    const partitions = [{ partitionIndex: 0, timestamp: -1 }];
    const ends = await this.#client.send(listOffsets, 6, {
      replicaId: -1,
      topics: [{ name: TOPIC, partitions }],
    });
    const end = ends.topics[0]?.partitions[0]?.offset;
    if (end !== this.#values.length)
      throw new RangeError(`the end is ${end}, expected ${this.#values.length}`);
    const answer = await fetchOne(this.#client, TOPIC, this.#start);
    const found = consumed(answer, this.#start).map(({ value }) => String(value));
    const expected = this.#values.slice(this.#start);
    if (found.join() !== expected.join()) throw new RangeError(`read ${found}, expected ${expected}`);
  }
}
