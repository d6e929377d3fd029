/** Apache Kafka's own kafka-producer-perf-test, where Java and the jars are there. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CACHE_FOLDER } from "../../tools/kafka/apache-kafka.ts";
import { run } from "../../tools/kafka/command.ts";
import { KAFKA_VERSION } from "../../tools/kafka/jars.ts";
import { findJava } from "../../tools/kafka/java.ts";
import { KafkaToolError } from "../../tools/kafka/kafka-tool-error.ts";
import { BenchRefusedError } from "./wire.ts";

export interface JavaPerf {
  /** Records a second, from its first to its last. */
  run(broker: string, topic: string, records: number): Promise<number>;
}

/**
 * @param jars a folder with the jars; by default the one that `pnpm kafka start` has filled.
 * @returns why it can't be run, where it can't.
 */
export async function javaPerf(
  jars = join(CACHE_FOLDER, `jars-${KAFKA_VERSION}`),
): Promise<JavaPerf | string> {
  if (!existsSync(jars)) return `no jars in ${jars}: "pnpm kafka start" downloads them, or set --jars`;
  try {
    const java = await findJava();
    return { run: (broker, topic, records) => perf(java, jars, broker, topic, records) };
  } catch (error) {
    if (error instanceof KafkaToolError) return error.message;
    throw error;
  }
}

async function perf(
  java: string,
  jars: string,
  broker: string,
  topic: string,
  records: number,
): Promise<number> {
  const jvm = ["-Xmx256m", "-XX:+UseSerialGC", "-cp", [join(jars, "*")].join(delimiter)];
  const options = {
    "--topic": topic,
    "--num-records": String(records),
    "--record-size": "100",
    "--throughput": "-1",
    "--bootstrap-server": broker,
  };
  const tool = ["org.apache.kafka.tools.ProducerPerformance", ...Object.entries(options).flat()];
  const said = await run(java, [...jvm, ...tool], `There is no "${java}".`);
  // The last line is the whole run's: "1000000 records sent, 312500.0 records/sec (29.80 MB/sec), ..."
  const perSecond = [...said.matchAll(/([\d.]+) records\/sec/g)].at(-1)?.[1];
  if (perSecond === undefined) throw new BenchRefusedError(`the perf tool printed no figure:\n${said}`);
  return Number(perSecond);
}
