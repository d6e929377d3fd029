import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBroker } from "@kelvin/embedded-kafka";
import { Kafka } from "kafkajs";

const folder = await mkdtemp(join(tmpdir(), "broker-"));
const first = await startBroker({ folder });
const producer = new Kafka({ brokers: first.brokers }).producer();
await producer.connect();
await producer.send({ topic: "sensor", messages: [{ value: "20.5" }] });
await producer.disconnect();
await first.stop(); // or kill -9

const next = await startBroker({ folder });
assert.equal(next.records("sensor").length, 1);
await next.stop();
await rm(folder, { recursive: true });
