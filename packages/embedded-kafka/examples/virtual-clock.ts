import assert from "node:assert/strict";
import { startBroker, VirtualClock } from "@kelvin/embedded-kafka";
import { Kafka } from "kafkajs";

const clock = new VirtualClock(Date.now());
const broker = await startBroker({ clock, configs: { "log.retention.ms": "3600000" } });
const producer = new Kafka({ brokers: broker.brokers }).producer();
await producer.connect();
await producer.send({ topic: "sensor", messages: [{ value: "20.5" }] });

clock.advance(59 * 60_000);
assert.equal(broker.records("sensor").length, 1);
clock.advance(10 * 60_000); // past retention.ms and the next retention check
assert.equal(broker.records("sensor").length, 0);
await producer.disconnect();
await broker.stop();
