/** What every step of the tutorial shares: where Kafka is, what things are called, and how a step is ended. */
import type { Topic } from "@kelvin/schema";
import { renamed } from "@kelvin/schema";
import {
  createLog,
  flag,
  kafkaConnection,
  kafkaSettings,
  readSettings,
  SettingsError,
  topicName,
  watchStopRequests,
} from "@kelvin/service-kit";
import type { StreamAppOptions } from "@kelvin/streams";
import * as z from "zod";

const Settings = z.object({
  SENSOR_TOPIC: topicName("sensor"),
  ALERT_TOPIC: topicName("alert"),
  KPI_TOPIC: topicName("kpi"),
  /** Where a group without a position begins. */
  START_FROM: z.enum(["latest", "earliest"]).default("latest"),
  /** `--live`: write to the system's topics, as its consumer groups. */
  TUTORIAL_LIVE: flag().default(false),
  /** Consumer groups are called `<prefix>-<name>`. */
  GROUP_PREFIX: z.string().optional(),
});

const settings = settingsOrEnd();

export const log = createLog({ name: "tutorial", level: "warn", format: "pretty", hideName: true });

/** Aborted by the first Ctrl-C; the app then finishes the records in progress. A second one exits immediately. */
export const ctrlC: AbortSignal = watchStopRequests(() => process.exit(1));
// An open channel to the parent process must not keep a step alive.
process.channel?.unref();
// `npm run tutorial -- 1 | head`: with the reader gone there is nothing left to do.
process.stdout.on("error", () => process.exit());

/** How an app of the tutorial runs. Its name is its consumer group. */
export function tutorial(name: string): StreamAppOptions {
  const prefix = settings.GROUP_PREFIX ?? (settings.TUTORIAL_LIVE ? "kelvin" : "tutorial");
  return {
    name: `${prefix}-${name}`,
    kafka: kafkaConnection(settings),
    startFrom: settings.START_FROM,
    log,
    print: (_label, value) => console.log(JSON.stringify(value)),
  };
}

/** A topic to read: the running system's. */
export function input<T>(topic: Topic<T>): Topic<T> {
  return renamed(topic, nameOf(topic));
}

/** A topic to write: `tutorial.<name>`, so that nothing of the running system is disturbed; with `--live` the system's. */
export function output<T>(topic: Topic<T>): Topic<T> {
  return renamed(topic, settings.TUTORIAL_LIVE ? nameOf(topic) : `tutorial.${nameOf(topic)}`);
}

function nameOf({ name }: { name: string }): string {
  const names: Record<string, string> = {
    sensor: settings.SENSOR_TOPIC,
    alert: settings.ALERT_TOPIC,
    kpi: settings.KPI_TOPIC,
  };
  return names[name] ?? name;
}

function settingsOrEnd() {
  try {
    return readSettings(process.env, kafkaSettings, Settings);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exit(error.exitCode);
  }
}
