import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";

/** The newest version whose server, tools and Streams jars are all on Maven Central. */
export const KAFKA_VERSION = "4.3.1";

/** Without a binding Kafka logs nothing, and a start that fails would give no reason. Kafka's own version of it. */
const LOG4J_VERSION = "2.25.4";

const dependency = (groupId: string, artifactId: string, version: string): string =>
  `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;

const pom = (version: string): string => `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>kelvin</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${dependency("org.apache.kafka", "kafka_2.13", version)}
    ${dependency("org.apache.kafka", "kafka-tools", version)}
    ${dependency("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION)}
  </dependencies>
</project>
`;

/**
 * The folder with Apache Kafka's jars, downloaded from Maven Central the first time (about 55 MB, 10 s).
 *
 * Safe to call from several processes at once: the folder appears whole or not at all.
 *
 * @throws KafkaToolError when Maven is missing or the download fails.
 */
export async function kafkaJars(cacheFolder: string, version: string = KAFKA_VERSION): Promise<string> {
  const folder = join(cacheFolder, `jars-${version}`);
  if (existsSync(folder)) return folder;

  await mkdir(cacheFolder, { recursive: true });
  const attempt = await mkdtemp(join(cacheFolder, "download-"));
  try {
    const pomFile = join(attempt, "pom.xml");
    await writeFile(pomFile, pom(version));
    const libs = join(attempt, "libs");
    await run(
      "mvn",
      ["-q", "-B", "-f", pomFile, "dependency:copy-dependencies", `-DoutputDirectory=${libs}`],
      'Apache Kafka\'s jars come by Maven, and there is no "mvn" on PATH: install Maven 3.6 or newer.',
    );
    await rename(libs, folder).catch((cause: unknown) => {
      if (!existsSync(folder)) throw cause; // else another process was faster, with the same jars
    });
  } finally {
    await rm(attempt, { recursive: true, force: true });
  }
  return folder;
}
