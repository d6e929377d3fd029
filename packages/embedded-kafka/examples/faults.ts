import assert from "node:assert/strict";
import { errorCode, startBroker } from "@kelvin/embedded-kafka";
import { Kafka } from "kafkajs";

const broker = await startBroker({ faults: { seed: 42 } });
const kafka = new Kafka({ clientId: "gauge", brokers: broker.brokers, retry: { initialRetryTime: 20 } });
const producer = kafka.producer({ idempotent: true });
await producer.connect();

// This client's second Produce to this topic is applied, but its response is lost.
const on = { api: "Produce", clientId: "gauge", topic: "sensor" };
const lost = broker.faults.add({ on, call: 2, do: { kind: "drop", when: "after" } });
// One in ten Metadata responses, chosen from the seed, is an error.
broker.faults.add({
  on: { api: "Metadata" },
  probability: 0.1,
  times: "always",
  do: { kind: "error", code: errorCode.leaderNotAvailable },
});

for (const value of ["20.5", "21.5", "22.5"]) await producer.send({ topic: "sensor", messages: [{ value }] });

assert.equal(lost.fired, 1);
assert.equal(broker.records("sensor").length, 3); // retried, and recognised by its sequence number
assert.deepEqual(broker.faults.log()[0]?.fault, { kind: "drop", when: "after" });
const script = broker.faults.script(); // plain data: startBroker({ faults: script }) reproduces the faults
assert.equal(script.seed, 42);
broker.faults.clear(); // no more faults; what they hold up continues
await producer.disconnect();
await broker.stop();
