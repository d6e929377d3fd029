/** W1 as a loop over kafkajs, at the settings that were fastest: what the library is measured against. */
import kafkajs, { Kafka, logLevel } from "kafkajs";
import { ALERT_ABOVE_KELVIN, alertTopic, sensorTopic, toAlert } from "./topics.ts";
import { jobOf } from "./worker.ts";

const { broker, name, input, output } = jobOf();
const [sensor, alert] = [sensorTopic(input), alertTopic(output)];
const kafka = new Kafka({ clientId: name, brokers: [broker], logLevel: logLevel.ERROR });
const producer = kafka.producer({
  idempotent: true,
  createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
});
const consumer = kafka.consumer({ groupId: name, maxWaitTimeInMs: 500, maxBytesPerPartition: 128 * 1024 });
await Promise.all([producer.connect(), consumer.connect()]);
await consumer.subscribe({ topic: input, fromBeginning: true });
await consumer.run({
  partitionsConsumedConcurrently: 4,
  autoCommitInterval: 200,
  eachBatch: async ({ batch }) => {
    const messages = batch.messages.flatMap(({ value, timestamp }) => {
      const reading = sensor.decode(value);
      if (!reading.ok) return [];
      const made = toAlert(reading.value);
      if (made.kelvin <= ALERT_ABOVE_KELVIN) return [];
      return [{ key: alert.key(made), value: alert.encode(made), timestamp }];
    });
    if (messages.length > 0) await producer.send({ topic: output, messages, acks: -1 });
  },
});
