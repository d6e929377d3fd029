/** What Kafka is started with. One node that is broker and controller at once (KRaft). */
export interface ServerConfig {
  port: number;
  controllerPort: number;
  dataFolder: string;
  /** Further broker properties, by their Kafka names; they win over the ones here. */
  properties: Readonly<Record<string, string>>;
}

/** The text of server.properties. */
export function serverProperties({ port, controllerPort, dataFolder, properties }: ServerConfig): string {
  const all: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": dataFolder,
    // One node can hold one copy.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    // The default of 3 s waits for further members at every start of a group.
    "group.initial.rebalance.delay.ms": "0",
    ...properties,
  };
  // A backslash is an escape in Java's properties: Windows paths need two.
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}\n`)
    .join("");
}

/** Log4j's own configuration: all to standard output, which goes to a file. */
export const LOG4J_PROPERTIES = `
status = error
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %m (%c{1})%n
`;
