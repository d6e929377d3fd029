/**
 * A process with one windowed pipeline, to be killed by tests: brokers, app, source, result topic, the window's kind
 * and the guarantee come as arguments.
 * Tells its parent when it is ready, and on request what CPU time it has used, of what Node has warned, and what it logged
 * as a warning or an error.
 */
import { agg, createStreamApp, type KeyState } from "../src/index.ts";
import { type Reading, readingTopic, resultTopic } from "./readings.ts";

const [brokers = "", name = "", from = "", to = "", kind = "trailing", guarantee = ""] =
  process.argv.slice(2);
const quiet = () => undefined;
const told: string[] = [];
const tell = (_fields: object, message: string) => void told.push(message);
const app = createStreamApp({
  name,
  kafka: { brokers: brokers.split(",") },
  log: { debug: quiet, info: quiet, warn: tell, error: tell },
  startFrom: "earliest",
  sessionTimeoutMs: 6_000,
  ...(guarantee === "exactly-once" ? { guarantee, commitEveryMs: 20 } : { commitEveryMs: 300 }),
});
const readings = app.dataframe(readingTopic(from));
const aggregates = { count: agg.count(), sum: agg.sum<Reading>(({ x }) => x) };
if (kind === "copy") readings.toTopic(readingTopic(to));
else if (kind === "counted") {
  // Each reading becomes the count of its key.
  const counted = readings.applyStateful(
    (reading, counts: KeyState<number>) => {
      const count = (counts.get() ?? 0) + 1;
      counts.set(count);
      return { ...reading, x: count };
    },
    { store: "counts" },
  );
  counted.toTopic(readingTopic(to));
} else if (kind === "session") {
  const sessions = readings.sessionWindow("400ms", { grace: "1h", maxFuture: "1000h" });
  sessions.aggregate(aggregates).current().toTopic(resultTopic(to));
} else if (kind === "grouped") {
  const grouped = readings.groupBy(({ key }) => key.charAt(0), { name: "initial" });
  const options = { every: "1s", allowedLateness: "1h", maxFuture: "1000h" } as const;
  grouped.trailingWindow("5s", options).aggregate(aggregates).toTopic(resultTopic(to));
} else {
  const trailing = readings.trailingWindow("5s", { every: "1s", allowedLateness: "1h", maxFuture: "1000h" });
  trailing.aggregate(aggregates).toTopic(resultTopic(to));
}

const warnings: string[] = [];
process.on("warning", ({ name: warning }) => void warnings.push(warning));
process.on("message", (message) => {
  const { user, system } = process.cpuUsage();
  if (message === "look") process.send?.({ cpuMs: (user + system) / 1_000, warnings, told });
  if (message === "stop") void app.stop();
});
const look = setInterval(() => {
  if (!app.health().ready) return;
  clearInterval(look);
  process.send?.("ready");
}, 25);
try {
  await app.run();
} finally {
  clearInterval(look);
  process.disconnect();
}
