import assert from "node:assert/strict";
import { startBroker } from "@kelvin/embedded-kafka";
import { Kafka } from "kafkajs";

const broker = await startBroker({ brokers: 3 }); // ids 1 to 3, a port for each, one state
const producer = new Kafka({ brokers: broker.brokers }).producer();
await producer.connect();
const send = (value: string) => producer.send({ topic: "sensor", messages: [{ value }] });

await send("20.5");
broker.moveLeader("sensor", 0, 3); // a new leader epoch: brokers 1 and 2 answer error 6 from now on
broker.moveCoordinator({ group: "alerts" }, 2); // brokers 1 and 3 answer error 16 to this group
await send("21.5"); // kafkajs looks up the new leader

await broker.stopBroker(3); // its connections close and its port refuses; another replica leads
await send("22.5");
await broker.startBroker(3); // on the same port; it leads only what is moved back to it

assert.equal(broker.records("sensor").length, 3);
assert.deepEqual(
  broker.nodes().map(({ isRunning }) => isRunning),
  [true, true, true],
);
await producer.disconnect();
await broker.stop();
