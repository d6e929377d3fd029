import { agg, createStreamApp } from "@kelvin/streams";
import { averages, hot, readings } from "./topics.ts";

export const app = createStreamApp({
  name: "hot-readings", // the consumer group
  kafka: { brokers: (process.env["KAFKA_BROKERS"] ?? "localhost:9092").split(",") },
  log: { ...console, debug: () => {} }, // at debug, kafkajs tells each of its steps
});

app
  .dataframe(readings)
  .filter((reading) => reading.celsius > 30)
  .update((reading) => console.log(`${reading.device} has ${reading.celsius} °C`))
  .toTopic(hot);

app
  .dataframe(readings)
  .trailingWindow("10s", { every: "1s" })
  .aggregate({ mean: agg.mean((reading) => reading.celsius) })
  .apply(({ key, endMs, value }) => ({ device: key, untilMs: endMs, celsius: value.mean }))
  .toTopic(averages);

if (import.meta.main) {
  process.once("SIGINT", () => app.stop()); // Ctrl-C: finish the current records and commit; the next start continues there
  await app.run();
}
