/** A broker as a whole: options in, a running broker out. */
import type { Socket } from "node:net";
import { type BrokerNode, Cluster } from "./cluster/cluster.ts";
import { ConfigStore } from "./cluster/config-store.ts";
import { Groups } from "./coord/groups.ts";
import { Transactions } from "./coord/transactions.ts";
import type { Endpoint, RequestContext } from "./handlers/handler.ts";
import { handlers, servedApis } from "./handlers/index.ts";
import {
  type ConnectionInfo,
  type GroupInfo,
  type InspectedRecord,
  inspectConnections,
  inspectGroups,
  inspectRecords,
  inspectTopics,
  inspectTransactions,
  type TopicInfo,
  type TransactionInfo,
} from "./inspection.ts";
import { type Log, silentLog } from "./log-port.ts";
import { Connection, type ConnectionHost } from "./server/connection.ts";
import { Dispatcher } from "./server/dispatch.ts";
import { type Listeners, LOOPBACKS, listen } from "./server/listeners.ts";
import { type Clock, systemClock, type Timer } from "./time/clock.ts";

export interface BrokerOptions {
  /** TCP port. @default 0, a free one: see {@link Broker.port}. */
  readonly port?: number;
  /** Address to listen on. @default both loopbacks, 127.0.0.1 and ::1, as `localhost` may mean either. */
  readonly host?: string;
  /**
   * Host that clients are told to connect to (Kafka's `advertised.listeners`).
   * @default 127.0.0.1 on the loopbacks; on other addresses the one that the client came in by.
   */
  readonly advertisedHost?: string;
  /** Partitions of a topic whose creator does not say (`num.partitions`). @default 1 */
  readonly numPartitions?: number;
  /** Whether asking for a missing topic makes it (`auto.create.topics.enable`). @default true */
  readonly autoCreateTopics?: boolean;
  /** Broker settings by Kafka's names, e.g. `{ "log.retention.ms": "60000" }`. */
  readonly configs?: Readonly<Record<string, string>>;
  /** @default 1 */
  readonly brokerId?: number;
  /** Time and timers. @default the machine's */
  readonly clock?: Clock;
  /** @default says nothing */
  readonly log?: Log;
}

/** A running broker. */
export interface Broker {
  /** For a client's list of bootstrap servers: `["127.0.0.1:9092"]`. */
  readonly brokers: string[];
  readonly port: number;
  /** Ends every connection and frees the port and all timers; memory goes with it. May be called twice. */
  stop(): Promise<void>;
  /** All topics by name. */
  topics(): TopicInfo[];
  /** The records of a topic, decoded, partition by partition; none where there is no such topic. */
  records(topic: string, partition?: number): InspectedRecord[];
  /** Groups with their members, assignments, committed offsets and those that wait for a transaction's end. */
  groups(): GroupInfo[];
  /** Transactional ids with their producers, and what their transactions have touched. */
  transactions(): TransactionInfo[];
  connections(): ConnectionInfo[];
}

const WILDCARDS: readonly string[] = ["0.0.0.0", "::"];

/** Starts a broker and resolves when it listens.
 *
 * @throws PortInUseError, ListenError, InvalidConfigError
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const running = new RunningBroker(options);
  await running.start();
  return running;
}

class RunningBroker implements Broker, ConnectionHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly maxRequestBytes: number;
  readonly dispatcher: Dispatcher;
  readonly #options: BrokerOptions;
  readonly #cluster: Cluster;
  readonly #groups: Groups;
  readonly #transactions: Transactions;
  readonly #brokerId: number;
  readonly #served = servedApis(handlers);
  readonly #connections = new Set<Connection>();
  readonly #timers = new Map<string, Timer>();
  #listeners: Listeners | null = null;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? silentLog;
    this.#brokerId = options.brokerId ?? 1;
    const configs = new ConfigStore({
      ...(options.numPartitions === undefined ? {} : { "num.partitions": String(options.numPartitions) }),
      ...(options.autoCreateTopics === undefined
        ? {}
        : { "auto.create.topics.enable": String(options.autoCreateTopics) }),
      ...options.configs,
    });
    this.maxRequestBytes = configs.brokerNumber("socket.request.max.bytes");
    this.#cluster = new Cluster(configs, [{ id: this.#brokerId, rack: null }], this.clock);
    this.#groups = new Groups(this.#cluster);
    this.#transactions = new Transactions(this.#cluster, this.#groups);
    this.dispatcher = new Dispatcher(handlers, this.#served, (error, { apiKey, apiVersion }) =>
      this.log.error({ api: apiKey, version: apiVersion, err: error }, "a request failed in the broker"),
    );
  }

  async start(): Promise<void> {
    const { host, port } = this.#options;
    const hosts = host === undefined ? LOOPBACKS : [host];
    this.#listeners = await listen(hosts, port ?? 0, (socket) => this.#connected(socket));
    this.#repeat("clean-up", this.#cluster.configs.brokerNumber("log.retention.check.interval.ms"), () => {
      this.#cluster.cleanUp();
      this.#groups.cleanUp();
      this.#transactions.cleanUp();
    });
    const idleMs = this.#cluster.configs.brokerNumber("connections.max.idle.ms");
    this.#repeat("idle connections", Math.max(idleMs / 4, 1), () => this.#closeIdle(idleMs));
  }

  /** Calls back in turn until the broker stops. */
  #repeat(name: string, everyMs: number, work: () => void): void {
    this.#timers.set(
      name,
      this.clock.setTimer(everyMs, () => {
        work();
        this.#repeat(name, everyMs, work);
      }),
    );
  }

  #closeIdle(idleMs: number): void {
    const unusedSinceMs = this.clock.now() - idleMs;
    for (const connection of this.#connections) {
      if (!connection.busy && connection.lastUsedMs < unusedSinceMs) connection.close();
    }
  }

  #connected(socket: Socket): void {
    const connection = new Connection(socket, this);
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
  }

  context(client: Connection, apiVersion: number): RequestContext {
    return {
      brokerId: this.#brokerId,
      apiVersion,
      client,
      cluster: this.#cluster,
      groups: this.#groups,
      transactions: this.#transactions,
      clock: this.clock,
      log: this.log,
      served: this.#served,
    };
  }

  endpointOf(_broker: BrokerNode, localAddress: string): Endpoint {
    return { host: this.#advertisedHost(localAddress), port: this.port };
  }

  /** Told to a client, it must work for that client, however `localhost` resolves where it runs. */
  #advertisedHost(localAddress: string): string {
    const { advertisedHost, host } = this.#options;
    if (advertisedHost !== undefined) return advertisedHost;
    if (host === undefined) return "127.0.0.1";
    return WILDCARDS.includes(host) ? localAddress.replace("::ffff:", "") : host;
  }

  get port(): number {
    return this.#listeners?.port ?? 0;
  }

  get brokers(): string[] {
    const host = this.#advertisedHost("127.0.0.1");
    return [host.includes(":") ? `[${host}]:${this.port}` : `${host}:${this.port}`];
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    const closed = this.#listeners?.close();
    for (const connection of [...this.#connections]) connection.close();
    this.#groups.close();
    this.#transactions.close();
    await closed;
  }

  topics(): TopicInfo[] {
    return inspectTopics(this.#cluster);
  }

  records(topic: string, partition?: number): InspectedRecord[] {
    return [...inspectRecords(this.#cluster, topic, partition)];
  }

  groups(): GroupInfo[] {
    return inspectGroups(this.#groups);
  }

  transactions(): TransactionInfo[] {
    return inspectTransactions(this.#transactions);
  }

  connections(): ConnectionInfo[] {
    return inspectConnections(this.#connections);
  }
}
