import { join } from "node:path";
import { run } from "./command.ts";
import { KafkaToolError } from "./kafka-tool-error.ts";

/** Apache Kafka 4's server needs Java 17 (KIP-1013). */
const JAVA_MAJOR_MIN = 17;

/**
 * The Java to use: that of JAVA_HOME, else the one on PATH.
 *
 * @throws KafkaToolError when there is none, or when it is too old.
 */
export async function findJava(): Promise<string> {
  const home = process.env["JAVA_HOME"];
  const java = home === undefined || home === "" ? "java" : join(home, "bin", "java");
  const wanted = `Apache Kafka needs Java ${JAVA_MAJOR_MIN} or newer`;
  const version = await run(
    java,
    ["-version"],
    `${wanted}, but there is no "${java}": install it, or set JAVA_HOME.`,
  );
  const major = Number(/version "(\d+)/.exec(version)?.[1] ?? Number.NaN);
  if (!(major >= JAVA_MAJOR_MIN)) {
    throw new KafkaToolError(
      `${wanted}, but "${java}" is ${version.split("\n")[0]}: set JAVA_HOME to a newer one.`,
    );
  }
  return java;
}
