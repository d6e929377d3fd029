/** How long nothing comes out after a program was killed, or stopped in order, and started again, at a steady rate. */
import { setTimeout as wait } from "node:timers/promises";
import { createTopics, uniqueName, waitFor } from "@kelvin/test-kit";
import kafkajs, { type Admin } from "kafkajs";
import { type Contestant, kafkaOf, start } from "./programs.ts";
import { messageOf, reading } from "./readings.ts";
import { alertTopic, PARTITIONS } from "./topics.ts";

export interface Resumption {
  readonly how: "kill" | "stop";
  /** The longest time between two outputs from the end of the process on. */
  readonly silentMs: number;
  /** Outputs that were there twice, and readings without one. */
  readonly doubled: number;
  readonly lost: number;
}

interface Load {
  readonly perSecond: number;
  readonly devices: number;
  /** Of each kind. */
  readonly restarts: number;
}

const HOT = 40;
const STEADY_MS = 3_000;

export async function resumptionsOf(
  contestant: Contestant,
  admin: Admin,
  broker: string,
  { perSecond, devices, restarts }: Load,
): Promise<Resumption[]> {
  const input = uniqueName("bench-input");
  await createTopics(admin, [{ topic: input, numPartitions: PARTITIONS }]);
  await using running = await start(contestant, admin, broker, input);
  await using outputs = await followed(broker, running.output);
  await using sending = await steadily(broker, input, perSecond, devices);
  await waitFor("a first output", () => outputs.seen.size > 0, { timeoutMs: 60_000 });
  const resumptions: Resumption[] = [];
  for (const how of (["kill", "stop"] as const).flatMap((each) => Array<typeof each>(restarts).fill(each))) {
    await wait(STEADY_MS);
    outputs.begin();
    await running.restart(how);
    const sentByThen = sending.sent;
    await waitFor("outputs again", () => outputs.seen.size >= sentByThen, { timeoutMs: 60_000 });
    resumptions.push({ how, ...outputs.longest(), lost: 0 });
  }
  await sending.stop();
  const isAll = () => outputs.seen.size >= sending.sent;
  await waitFor("all outputs", isAll, { timeoutMs: 30_000 }).catch(() => undefined);
  const lost = sending.sent - outputs.seen.size;
  await admin.deleteTopics({ topics: [input] });
  return resumptions.map((each) => ({ ...each, lost }));
}

/** Outputs as a reader of committed records sees them. */
async function followed(broker: string, topic: string) {
  const consumer = kafkaOf(broker).consumer({ groupId: uniqueName("bench"), maxWaitTimeInMs: 500 });
  const { decode } = alertTopic(topic);
  const seen = new Set<string>();
  let lastMs = performance.now();
  let silentMs = 0;
  let doubled = 0;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: PARTITIONS,
    eachBatch: async ({ batch }) => {
      silentMs = Math.max(silentMs, performance.now() - lastMs);
      lastMs = performance.now();
      for (const { value } of batch.messages) {
        const alert = decode(value);
        if (!alert.ok) continue;
        const id = `${alert.value.device_id} ${alert.value.timestamp}`;
        if (seen.has(id)) doubled++;
        seen.add(id);
      }
    },
  });
  return {
    seen,
    begin() {
      silentMs = 0;
      doubled = 0;
    },
    longest: () => ({ silentMs, doubled }),
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}

/** Sends hot readings at that rate, no two of a device with one time. */
async function steadily(broker: string, topic: string, perSecond: number, devices: number) {
  const producer = kafkaOf(broker).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    idempotent: true,
  });
  await producer.connect();
  const beganMs = performance.now();
  const fromMs = Date.now();
  const timeMs = (nth: number) => fromMs + Math.floor(nth / devices);
  const stopping = new AbortController();
  let sent = 0;
  let acknowledged = Promise.resolve();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - beganMs) / 1_000) * perSecond);
      const messages = Array.from({ length: due - sent }, (_, i) =>
        messageOf(topic, reading((sent + i) % devices, timeMs(sent + i), HOT)),
      );
      sent = Math.max(sent, due);
      if (messages.length > 0)
        acknowledged = acknowledged.then(
          async () => void (await producer.send({ topic, messages, acks: -1 })),
        );
      await wait(5);
    }
    await acknowledged;
  })();
  const stop = async () => {
    stopping.abort();
    await running;
  };
  return {
    get sent() {
      return sent;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await producer.disconnect();
    },
  };
}
