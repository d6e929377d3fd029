/** A broker as a whole: options in, a running broker out. */
import { BrokerStoppedError, NoSuchBrokerError, NoSuchPartitionError } from "./broker-errors.ts";
import type { Coordinated } from "./cluster/brokers.ts";
import { Cleaner } from "./cluster/cleaner.ts";
import { Cluster } from "./cluster/cluster.ts";
import { ConfigStore, InvalidConfigError } from "./cluster/config-store.ts";
import { FetchSessions } from "./cluster/fetch-sessions.ts";
import { moveLeader, NO_LEADER } from "./cluster/leadership.ts";
import { Groups } from "./coord/groups.ts";
import { Transactions } from "./coord/transactions.ts";
import { FaultRules, type Faults } from "./faults/faults.ts";
import type { FaultScript } from "./faults/rule.ts";
import { handlers, servedApis } from "./handlers/index.ts";
import {
  type ConnectionInfo,
  type GroupInfo,
  type InspectedRecord,
  inspectConnections,
  inspectGroups,
  inspectNodes,
  inspectRecords,
  inspectTopics,
  inspectTransactions,
  type NodeInfo,
  type TopicInfo,
  type TransactionInfo,
} from "./inspection.ts";
import { type Log, silentLog } from "./log-port.ts";
import { BrokerServer, type ServerShared } from "./server/broker-server.ts";
import { Dispatcher } from "./server/dispatch.ts";
import { DataFolder } from "./storage/data-folder.ts";
import { StorageError } from "./storage/errors.ts";
import { inMemory, type Keeping } from "./storage/keeping.ts";
import { type Clock, systemClock, type Timer } from "./time/clock.ts";

/** How a broker, or a cluster of several, starts. All of it has a default. */
export interface BrokerOptions {
  /** TCP port, of the first broker; the others have the ports after it. @default 0, free ones: see {@link Broker.port}. */
  readonly port?: number;
  /** Address to listen on. @default both loopbacks, 127.0.0.1 and ::1, as `localhost` may mean either. */
  readonly host?: string;
  /**
   * Host advertised to clients (Kafka's `advertised.listeners`).
   * @default 127.0.0.1 on the loopbacks; on other addresses the one that the client came in by.
   */
  readonly advertisedHost?: string;
  /** Partitions of a topic whose creator does not say (`num.partitions`). @default 1 */
  readonly numPartitions?: number;
  /** Whether asking for a missing topic makes it (`auto.create.topics.enable`). @default true */
  readonly autoCreateTopics?: boolean;
  /** Broker settings by Kafka's names, e.g. `{ "log.retention.ms": "60000" }`. */
  readonly configs?: Readonly<Record<string, string>>;
  /** Id of the first broker; the others count on from it. @default 1 */
  readonly brokerId?: number;
  /**
   * How many brokers there are in this process, 1 to 100, each with an id and a port of its own. They share one state: a
   * "replica" is a broker that may lead a partition. With several, topics whose creator does not say are on up to three
   * of them (`default.replication.factor`). @default 1
   */
  readonly brokers?: number;
  /** Faults from the start on, and the seed of what is left to chance in them. @default none, and any seed */
  readonly faults?: Partial<FaultScript>;
  /**
   * Folder for topics, records, committed offsets and transactions. A broker started with it again continues from there,
   * however the previous one ended. Created if missing; only one broker at a time can use it. For development: there is one
   * copy, and the latest writes may be missing after a power cut. @default none: in memory only, lost on stop
   */
  readonly folder?: string;
  /** Time and timers. @default the machine's */
  readonly clock?: Clock;
  /** @default silent */
  readonly log?: Log;
}

/** Whose coordinator is meant. */
export type CoordinatedKey = { readonly group: string } | { readonly transactionalId: string };

const MOST_BROKERS = 100;
const USUAL_COPIES = 3;

/** A running broker, or several in one. */
export interface Broker {
  /** For a client's list of bootstrap servers: `["127.0.0.1:9092"]`, in order of the broker ids. */
  readonly brokers: string[];
  /** Of the first broker. */
  readonly port: number;
  /** Ends every connection and frees the port, the folder and all timers; memory goes with it. May be called twice. */
  stop(): Promise<void>;
  /**
   * Makes a running broker the leader of a partition, under a new leader epoch; any other answers error 6. One that did
   * not hold the partition takes the place of the one that led it.
   *
   * @throws NoSuchPartitionError, NoSuchBrokerError, BrokerStoppedError
   */
  moveLeader(topic: string, partition: number, brokerId: number): void;
  /**
   * Makes a running broker the coordinator of a group or a transactional id; any other answers error 16. Members of a
   * group that wait are told so at once.
   *
   * @throws NoSuchBrokerError, BrokerStoppedError
   */
  moveCoordinator(of: CoordinatedKey, brokerId: number): void;
  /**
   * Stops one broker as a crash does: its connections end and its port refuses. What it led and coordinated goes to
   * others; a partition that no other broker holds has no leader until it is back. Nothing is lost.
   *
   * @throws NoSuchBrokerError
   */
  stopBroker(brokerId: number): Promise<void>;
  /**
   * Starts a stopped broker again, on the same port. It leads only what nobody else could lead: {@link moveLeader} gives
   * it more.
   *
   * @throws NoSuchBrokerError, PortInUseError
   */
  startBroker(brokerId: number): Promise<void>;
  /** Accidents on purpose: see `faults/rule.ts`. */
  readonly faults: Faults;
  /** The brokers by id: where each listens, what it leads and coordinates, and who is connected. */
  nodes(): NodeInfo[];
  /** All topics by name, without the internal ones. */
  topics(): TopicInfo[];
  /** The records of a topic, decoded, partition by partition; none where there is no such topic. */
  records(topic: string, partition?: number): InspectedRecord[];
  /** Groups with their members, assignments, committed offsets and those that wait for a transaction's end. */
  groups(): GroupInfo[];
  /** Transactional ids with their producers, and what their transactions have touched. */
  transactions(): TransactionInfo[];
  connections(): ConnectionInfo[];
}

/** Starts a broker and resolves when it listens.
 *
 * @throws PortInUseError, ListenError, InvalidConfigError, DataFolderError, StorageError, FaultRuleError
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const running = new RunningBroker(options);
  await running.start();
  return running;
}

class RunningBroker implements Broker {
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  readonly #groups: Groups;
  readonly #fetchSessions: FetchSessions;
  readonly #transactions: Transactions;
  /** In order of their ids. */
  readonly #servers: readonly BrokerServer[];
  readonly #faults: FaultRules;
  readonly #timers = new Map<string, Timer>();
  readonly #keeping: Keeping;
  readonly #cleaner: Cleaner;
  readonly #log: Log;

  constructor(options: BrokerOptions) {
    const clock = options.clock ?? systemClock;
    const log = options.log ?? silentLog;
    const firstId = options.brokerId ?? 1;
    const ids = Array.from({ length: brokerCount(options) }, (_, index) => firstId + index);
    const nodes = ids.map((id) => ({ id, rack: null }));
    const configs = new ConfigStore(configsOf(options));
    this.#clock = clock;
    this.#log = log;
    this.#keeping = options.folder === undefined ? inMemory : new DataFolder(options.folder, log);
    try {
      this.#cluster = new Cluster(configs, nodes, clock, this.#keeping);
      this.#groups = new Groups(this.#cluster);
      this.#transactions = new Transactions(
        this.#cluster,
        this.#groups,
        ({ leaderId }) => leaderId !== NO_LEADER,
      );
    } catch (error) {
      this.#keeping.close();
      throw error;
    }
    this.#fetchSessions = new FetchSessions(clock);
    this.#cleaner = new Cleaner(this.#cluster, log);
    if (options.folder !== undefined) {
      const { folder } = options;
      log.info({ folder, topics: this.#cluster.topics.length }, "data folder loaded");
    }
    const served = servedApis(handlers);
    this.#faults = new FaultRules(
      {
        clock,
        log,
        apis: served.map(({ name }) => name),
        brokerIds: ids,
        topicName: (id) => this.#cluster.topicById(id)?.name,
        topicsOfSession: (brokerId, id) => this.#fetchSessions.topicsOf(brokerId, id, this.#cluster),
      },
      options.faults,
    );
    const shared: ServerShared = {
      interference: this.#faults,
      clock,
      log,
      maxRequestBytes: configs.brokerNumber("socket.request.max.bytes"),
      dispatcher: new Dispatcher(handlers, served, (error, { apiKey, apiVersion }) =>
        log.error({ api: apiKey, version: apiVersion, err: error }, "a request failed"),
      ),
      context: {
        cluster: this.#cluster,
        fetchSessions: this.#fetchSessions,
        groups: this.#groups,
        transactions: this.#transactions,
        clock,
        log,
        served,
      },
      endpointOf: ({ id }, localAddress) => {
        const server = this.#server(id);
        return { host: server.advertisedHost(localAddress), port: server.port };
      },
    };
    const { host, advertisedHost, port = 0 } = options;
    this.#servers = nodes.map((node, index) => {
      const address = { host, advertisedHost, port: port === 0 ? 0 : port + index };
      return new BrokerServer(node, address, shared);
    });
  }

  async start(): Promise<void> {
    try {
      for (const server of this.#servers) await server.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    const { configs } = this.#cluster;
    this.#repeat("clean-up", configs.brokerNumber("log.retention.check.interval.ms"), () => {
      this.#cluster.cleanUp();
      this.#groups.cleanUp();
      this.#transactions.cleanUp();
    });
    this.#cleaner.start();
    const idleMs = configs.brokerNumber("connections.max.idle.ms");
    this.#repeat("idle connections", Math.max(idleMs / 4, 1), () => {
      for (const server of this.#servers) server.closeIdle(this.#clock.now() - idleMs);
    });
  }

  /** Calls back in turn until the broker stops. */
  #repeat(name: string, everyMs: number, work: () => void): void {
    this.#timers.set(
      name,
      this.#clock.setTimer(everyMs, () => {
        this.#unlessStorageFails(name, work);
        this.#repeat(name, everyMs, work);
      }),
    );
  }

  /** The disk's refusal ends nothing: the next turn tries again. */
  #unlessStorageFails(name: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#log.error({ err: error }, `${name} failed`);
    }
  }

  get faults(): Faults {
    return this.#faults;
  }

  get port(): number {
    return this.#servers[0]?.port ?? 0;
  }

  get brokers(): string[] {
    return this.#servers.map((server) => {
      const host = server.advertisedHost("127.0.0.1");
      return host.includes(":") ? `[${host}]:${server.port}` : `${host}:${server.port}`;
    });
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#cleaner.stop();
    const stopped = this.#servers.map((server) => server.stop());
    this.#faults.close();
    this.#groups.close();
    this.#transactions.close();
    await Promise.all(stopped);
    this.#keeping.close();
  }

  // ------------------------------------------------------------------ several brokers

  #server(id: number): BrokerServer {
    const server = this.#servers.find(({ node }) => node.id === id);
    if (server === undefined)
      throw new NoSuchBrokerError(
        id,
        this.#servers.map(({ node }) => node.id),
      );
    return server;
  }

  #runningServer(id: number): BrokerServer {
    const server = this.#server(id);
    if (!server.isRunning) throw new BrokerStoppedError(id);
    return server;
  }

  moveLeader(topic: string, partition: number, brokerId: number): void {
    this.#runningServer(brokerId);
    const found = this.#cluster.partition(topic, partition);
    if (found === undefined) throw new NoSuchPartitionError(topic, partition);
    moveLeader(found, brokerId);
  }

  moveCoordinator(of: CoordinatedKey, brokerId: number): void {
    this.#runningServer(brokerId);
    const [kind, key]: [Coordinated, string] =
      "group" in of ? ["group", of.group] : ["transaction", of.transactionalId];
    this.#groups.whileCoordinatorsMove(() => this.#cluster.brokers.moveCoordinator(kind, key, brokerId));
  }

  async stopBroker(brokerId: number): Promise<void> {
    const server = this.#server(brokerId);
    if (!server.isRunning) return;
    const stopped = server.stop();
    this.#faults.brokerStopped(brokerId);
    this.#fetchSessions.brokerStopped(brokerId);
    this.#groups.whileCoordinatorsMove(() => this.#cluster.brokerStopped(brokerId));
    await stopped;
  }

  async startBroker(brokerId: number): Promise<void> {
    const server = this.#server(brokerId);
    if (server.isRunning) return;
    await server.start();
    this.#groups.whileCoordinatorsMove(() => this.#cluster.brokerStarted(brokerId));
  }

  // ------------------------------------------------------------------ inspection

  nodes(): NodeInfo[] {
    return inspectNodes(this.#servers, this.#cluster);
  }

  topics(): TopicInfo[] {
    return inspectTopics(this.#cluster);
  }

  records(topic: string, partition?: number): InspectedRecord[] {
    return [...inspectRecords(this.#cluster, topic, partition)];
  }

  groups(): GroupInfo[] {
    return inspectGroups(this.#groups, this.#cluster.brokers);
  }

  transactions(): TransactionInfo[] {
    return inspectTransactions(this.#transactions, this.#cluster.brokers);
  }

  connections(): ConnectionInfo[] {
    return inspectConnections(this.#servers);
  }
}

/** @throws InvalidConfigError */
function brokerCount({ brokers = 1 }: BrokerOptions): number {
  if (Number.isInteger(brokers) && brokers >= 1 && brokers <= MOST_BROKERS) return brokers;
  throw new InvalidConfigError(`brokers must be a whole number from 1 to ${MOST_BROKERS}, not ${brokers}`);
}

function configsOf({ brokers = 1, numPartitions, autoCreateTopics, configs }: BrokerOptions) {
  return {
    ...(brokers === 1 ? {} : { "default.replication.factor": String(Math.min(brokers, USUAL_COPIES)) }),
    ...(numPartitions === undefined ? {} : { "num.partitions": String(numPartitions) }),
    ...(autoCreateTopics === undefined ? {} : { "auto.create.topics.enable": String(autoCreateTopics) }),
    ...configs,
  };
}
