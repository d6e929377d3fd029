/** How many requests records make; what becomes of the records: publisher.integration.test.ts. */
import { startBroker } from "@kelvin/embedded-kafka";
import { expect, test } from "vitest";
import { keptLog, uniqueName, until } from "../../test-support/kafka.ts";
import { readingTopic } from "../../test-support/readings.ts";
import { createPublisher } from "../index.ts";
import { machineClock } from "./machine-clock.ts";

const LINGER_MS = 1_234;

test("records that come while the first one lingers go with it, in one request; a full batch and close end the wait", async () => {
  const broker = await startBroker({ port: 0 });
  const lingering: (() => void)[] = [];
  const clock = {
    ...machineClock,
    setTimeout(run: () => void, delayMs: number) {
      if (delayMs !== LINGER_MS) return machineClock.setTimeout(run, delayMs);
      lingering.push(run);
      return () => undefined;
    },
  };
  const publisher = await createPublisher({
    kafka: { brokers: broker.brokers },
    topic: readingTopic(uniqueName("in"), 3),
    log: keptLog(),
    clock,
    lingerMs: LINGER_MS,
  });
  const requests = broker.faults.add({
    on: { api: "Produce" },
    times: "always",
    do: { kind: "delay", when: "before", ms: 0 },
  });
  const send = (x: number) => publisher.send({ key: `k${x}`, atMs: 1_000, x });
  const sent = [send(0)];
  await until("the first one to linger", () => lingering.length === 1);
  for (let x = 1; x < 10; x++) {
    await new Promise((resolve) => setImmediate(resolve));
    sent.push(send(x));
  }
  expect(requests.calls).toBe(0);
  for (const over of lingering.splice(0)) over();
  await Promise.all(sent);
  expect(requests.calls).toBe(1);

  const full = [send(10)];
  await until("the next one to linger", () => lingering.length === 1);
  for (let x = 11; x < 41; x++) full.push(publisher.send({ key: "x".repeat(10_000), atMs: 1_000, x }));
  await until("a full request, and the rest to linger", () => lingering.length === 2);
  expect(requests.calls).toBe(2);
  await publisher.close();
  await Promise.all(full);
  expect(requests.calls).toBe(3);
  await broker.stop();
});
