/** Devices that send readings at a steady rate: each stamped with the instant at which it is handed to Kafka. */
import { type SensorReading, sensorTopic, utc } from "@kelvin/schema";
import { Kafka, logLevel } from "kafkajs";

/** Readings of one tick go out together. */
const TICK_MS = 10;

export interface Devices extends AsyncDisposable {
  readonly sent: number;
}

/** `perSecond` readings in all, spread over `count` devices named machine-01 and so on. */
export async function sendSteadily(
  brokers: readonly string[],
  topic: string,
  { count, perSecond }: { count: number; perSecond: number },
): Promise<Devices> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.ERROR }).producer({
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  const beganMs = performance.now();
  let sent = 0;
  let failure: unknown;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - beganMs) * perSecond) / 1000) - sent;
    if (due <= 0) return;
    const nowMs = Date.now();
    const messages = Array.from({ length: due }, (_, i) => message((sent + i) % count, sent + i, nowMs));
    sent += due;
    producer.send({ topic, messages }).catch((error: unknown) => {
      failure ??= error;
    });
  }, TICK_MS);
  return {
    get sent() {
      return sent;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await producer.disconnect();
      if (failure !== undefined) throw failure;
    },
  };
}

/** A reading a second of machine-01 over the last `seconds`, as if it had run all the time. */
export async function sendPast(brokers: readonly string[], topic: string, seconds: number): Promise<void> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.ERROR }).producer({
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  const nowMs = Date.now();
  const messages = Array.from({ length: seconds }, (_, i) => message(0, i, nowMs - (seconds - i) * 1_000));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** A reading as a record. */
export function message(device: number, i: number, eventMs: number) {
  const reading: SensorReading = {
    device_id: `machine-${String(device + 1).padStart(2, "0")}`,
    temperature: Math.round(100 * (22 + 7 * Math.sin(i / 40))) / 100,
    timestamp: utc(eventMs),
  };
  const value = Buffer.from(sensorTopic.encode(reading));
  return { key: reading.device_id, value, timestamp: String(eventMs) };
}
