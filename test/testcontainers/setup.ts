import { warmUp } from "../../tools/kafka/warm-up.ts";
import { startKafkaContainer } from "./apache-kafka-container.ts";

/** One container for all files of the suite; the test processes inherit KAFKA_BROKERS. */
export default async function setUp(): Promise<() => Promise<void>> {
  const kafka = await startKafkaContainer();
  try {
    await warmUp(kafka.brokers);
  } catch (error) {
    await kafka.stop();
    throw error;
  }
  process.env["KAFKA_BROKERS"] = kafka.brokers.join(",");
  return async () => {
    delete process.env["KAFKA_BROKERS"];
    await kafka.stop();
  };
}
