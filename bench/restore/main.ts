/** `npm run bench -- restore`: how long the state of windows takes to come back from their changelogs. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { agg, createStreamApp } from "@kelvin/streams";
import { createTopics, uniqueName, waitFor } from "@kelvin/test-kit";
import * as z from "zod";
import { kafkaOf } from "../streams/programs.ts";
import { fill, inputOf } from "../streams/readings.ts";
import { PARTITIONS, sensorTopic } from "../streams/topics.ts";

const { values: options } = parseArgs({
  options: {
    devices: { type: "string", default: "1000" },
    /** Of event time, a reading a second of each device. A minute and a half is what a window of 10 s keeps. */
    seconds: { type: "string", default: "90" },
    rounds: { type: "string", default: "3" },
    /** An Apache Kafka to measure on; without it an embedded broker in a process of its own. */
    kafka: { type: "string" },
  },
});
const devices = Math.max(Number(options.devices) || 0, 1);
const input = inputOf(devices * Math.max(Number(options.seconds) || 0, 1), devices);
const Restored = z.object({ records: z.number(), values: z.number(), tookMs: z.number() });

const child = options.kafka === undefined ? fork(join(import.meta.dirname, "../broker-process.ts")) : null;
const broker =
  options.kafka ??
  z.object({ broker: z.string() }).parse((await once(child ?? process, "message"))[0]).broker;
const admin = kafkaOf(broker).admin();
await admin.connect();
const topic = uniqueName("bench-restore");
await createTopics(admin, [{ topic, numPartitions: PARTITIONS }]);
await fill(kafkaOf(broker), topic, input, 0);

const name = uniqueName("bench-restore");
await live(false);
for (let round = 0; round < Math.max(Number(options.rounds) || 0, 1); round++) {
  const { records, values, tookMs } = await live(true);
  console.log(
    `${values} values of ${devices} devices on ${PARTITIONS} partitions, from ${records} records: ` +
      `${tookMs} ms, ${Math.round((1_000 * values) / tookMs)} values/s; load ${loadavg()[0]?.toFixed(1)}`,
  );
}
await admin.disconnect();
child?.disconnect();

/** A life of the app: until it has processed all there is. */
async function live(isRestored: boolean) {
  let restored: z.infer<typeof Restored> | undefined;
  const app = createStreamApp({
    name,
    kafka: { brokers: [broker] },
    startFrom: "earliest",
    log: {
      debug() {},
      info(fields, message) {
        if (message === "state restored") restored = Restored.parse(fields);
      },
      warn: (...said) => console.error(...said),
      error: (...said) => console.error(...said),
    },
  });
  app
    .dataframe(sensorTopic(topic))
    // Time stands still where the readings end.
    .trailingWindow("10s", { every: "1s", allowedLateness: "60s", idleAfter: "24h" })
    .aggregate({ mean: agg.mean(({ temperature }: { temperature: number }) => temperature) });
  const running = app.run();
  await waitFor("the state to be there", () => app.health().ready, { timeoutMs: 120_000 });
  await waitFor("all readings to be processed", isAllCommitted, { timeoutMs: 120_000 });
  await app.stop();
  await running;
  if (restored === undefined || (isRestored && restored.values === 0))
    throw new RangeError("Nothing was restored.");
  return restored;
}

async function isAllCommitted(): Promise<boolean> {
  const [group] = await admin.fetchOffsets({ groupId: name, topics: [topic] });
  const committed = (group?.partitions ?? []).reduce(
    (sum, { offset }) => sum + Math.max(0, Number(offset)),
    0,
  );
  return committed >= input.readings.length;
}
