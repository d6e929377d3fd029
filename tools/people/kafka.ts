/** Kafka for the commands that people type: quiet, quick to give up, and one clear line when nobody answers. */
import { createLog, kafkaConnection, kafkaSettings, readSettings, reasonOf } from "@kelvin/service-kit";
import { createKafka } from "@kelvin/streams";
import type { Admin, Kafka } from "kafkajs";
import * as z from "zod";
import { ToolError } from "../supervise/errors.ts";

/** Lends an admin client of the Kafka that `KAFKA_BROKERS` names. */
export async function withKafka<R>(work: (admin: Admin, kafka: Kafka) => Promise<R>): Promise<R> {
  const connection = kafkaConnection(readSettings(process.env, kafkaSettings, z.object({})), "kelvin-tools");
  const log = createLog({ name: "kafka", level: "silent", format: "json" });
  const kafka = createKafka({ kafka: connection, log });
  const admin = kafka.admin({ retry: { retries: 1, initialRetryTime: 100 } });
  try {
    await admin.connect();
  } catch (error) {
    throw new ToolError(
      `No Kafka answers at ${connection.brokers.join(", ")} (${reasonOf(error)}). ` +
        "Start it with npm start, or set KAFKA_BROKERS=host:port to use another.",
      { cause: error },
    );
  }
  try {
    return await work(admin, kafka);
  } catch (error) {
    if (!(error instanceof Error && error.name.startsWith("KafkaJS"))) throw error;
    throw new ToolError(`Kafka at ${connection.brokers.join(", ")} says: ${error.message}`, { cause: error });
  } finally {
    await admin.disconnect();
  }
}

/** @throws ToolError that lists the topics there are */
export async function mustExist(admin: Admin, topic: string): Promise<void> {
  const topics = await admin.listTopics();
  if (topics.includes(topic)) return;
  const known = topics.filter((name) => !name.startsWith("__")).toSorted();
  throw new ToolError(`There is no topic "${topic}". Topics: ${known.join(", ") || "none"}.`);
}

export interface TopicEnds {
  partition: number;
  /** The first offset that is still there. */
  low: number;
  /** The offset that the next record gets. */
  high: number;
}

export async function endsOf(admin: Admin, topic: string): Promise<TopicEnds[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets
    .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
    .toSorted((a, b) => a.partition - b.partition);
}
