/** The README's pipeline as a stranger starts it: by Node, stopped by Ctrl-C, started again. On a broker of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startBroker } from "@kelvin/embedded-kafka";
import { createPublisher, ensureTopics } from "@kelvin/streams";
import { followTopic, waitFor } from "@kelvin/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keptLog } from "../test-support/kafka.ts";
import { averages, hot, readings } from "./topics.ts";

const started: ChildProcess[] = [];
let broker: Awaited<ReturnType<typeof startBroker>>;
beforeAll(async () => {
  broker = await startBroker({ port: 0 });
});
afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  await broker.stop();
});

function start(): ChildProcess & { output(): string } {
  const program = fileURLToPath(new URL("hot-readings.ts", import.meta.url));
  const env = { PATH: process.env["PATH"], KAFKA_BROKERS: broker.brokers.join(",") };
  const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return Object.assign(child, { output: () => output });
}

test("it runs, ends with code 0 on Ctrl-C, and continues where it was", async () => {
  const kafka = { brokers: broker.brokers };
  await ensureTopics({ kafka, topics: [readings, hot, averages], log: keptLog() });
  await using alerts = await followTopic(broker.brokers, hot.name);
  await using told = await followTopic(broker.brokers, averages.name);
  const publisher = await createPublisher({ kafka, topic: readings, log: keptLog() });
  const startMs = Math.floor(Date.now() / 10_000) * 10_000;
  const send = (offsetMs: number, celsius: number) =>
    publisher.send({ device: "a", atMs: startMs + offsetMs, celsius });

  const first = start();
  await waitFor("its partitions", () => first.output().includes("partitions assigned"));
  await send(0, 40);
  await send(100, 20);
  await waitFor("the first hot one", () => alerts.records.length === 1);
  first.kill("SIGINT");
  expect(await once(first, "exit")).toEqual([0, null]);

  await send(200, 60);
  const second = start();
  await waitFor("the second hot one", () => alerts.records.length === 2);
  await send(1_000, 10);
  // The window holds what was read before the restart and after it.
  const last = () => told.records.map(({ value }) => JSON.parse(value ?? "")).at(-1);
  await waitFor("the mean of the first second", () => last()?.untilMs === startMs + 1_000);
  expect(last()).toEqual({ device: "a", untilMs: startMs + 1_000, celsius: 40 });
  second.kill("SIGINT");
  expect(await once(second, "exit")).toEqual([0, null]);
  expect((await alerts.toEnd()).map(({ value }) => JSON.parse(value ?? "").celsius)).toEqual([40, 60]);
  await publisher.close();
});
