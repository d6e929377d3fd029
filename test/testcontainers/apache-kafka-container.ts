import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import { KAFKA_VERSION } from "../../tools/kafka/jars.ts";
import { freePorts } from "../../tools/kafka/ports.ts";

const CLIENT_PORT = 29092;

export interface KafkaContainer extends AsyncDisposable {
  readonly brokers: string[];
  /** Stops Kafka in order and starts it again, with its data and its address kept. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts Apache Kafka's own image: KRaft, one node.
 *
 * Its port on the host is chosen before the start, not given by docker: a broker has to know what to advertise, and a
 * port that docker gives is another one after a restart.
 */
export async function startKafkaContainer(): Promise<KafkaContainer> {
  const { info } = await getContainerRuntimeClient();
  const { host } = info.containerRuntime;
  const [port = 0] = await freePorts(1);
  const container = await new GenericContainer(
    `apache/kafka:${process.env["KAFKA_VERSION"] ?? KAFKA_VERSION}`,
  )
    .withExposedPorts({ container: CLIENT_PORT, host: port })
    .withEnvironment(environment(`${host}:${port}`))
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(90_000)
    .start();
  return {
    brokers: [`${host}:${port}`],
    restart: () => container.restart({ timeout: 30_000 }),
    stop: () => end(container),
    [Symbol.asyncDispose]: () => end(container),
  };
}

async function end(container: StartedTestContainer): Promise<void> {
  await container.stop({ timeout: 0 });
}

/** All that the image needs: with any property given by the environment it reads no default configuration. */
const environment = (advertised: string): Record<string, string> => ({
  KAFKA_PROCESS_ROLES: "broker,controller",
  KAFKA_NODE_ID: "1",
  KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
  KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
  KAFKA_INTER_BROKER_LISTENER_NAME: "INSIDE",
  KAFKA_LISTENERS: `INSIDE://:9092,CONTROLLER://:9093,CLIENT://:${CLIENT_PORT}`,
  KAFKA_ADVERTISED_LISTENERS: `INSIDE://localhost:9092,CLIENT://${advertised}`,
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT",
  KAFKA_LOG_DIRS: "/var/lib/kafka/data",
  KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
  KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
  KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
  KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
  KAFKA_HEAP_OPTS: "-Xms256m -Xmx512m",
});
