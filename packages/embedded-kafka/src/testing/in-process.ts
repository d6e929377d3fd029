/** The broker without its sockets, on a clock that moves only when told: requests as bytes in, answers as bytes out. */
import { Cluster } from "../cluster/cluster.ts";
import { ConfigStore } from "../cluster/config-store.ts";
import { FetchSessions } from "../cluster/fetch-sessions.ts";
import type { Partition } from "../cluster/topic.ts";
import { Groups } from "../coord/groups.ts";
import { Transactions } from "../coord/transactions.ts";
import type { ClientConnection, RequestContext } from "../handlers/handler.ts";
import { handlers, servedApis } from "../handlers/index.ts";
import { silentLog } from "../log-port.ts";
import { responseCodec } from "../protocol/codec.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { Reader } from "../protocol/reader.ts";
import { type Api, type Decoded, type Encodable, isFlexible } from "../protocol/schema.ts";
import { Dispatcher, readRequestHeader } from "../server/dispatch.ts";
import { DataFolder } from "../storage/data-folder.ts";
import { inMemory, type Keeping } from "../storage/keeping.ts";
import { VirtualClock } from "../time/virtual-clock.ts";
import { frame } from "./raw-client.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

/** The answer to a request has to wait, and nobody waits here. */
export class AnswerWaitsError extends Error {
  override readonly name = "AnswerWaitsError";
  readonly code = "TEST_ANSWER_WAITS";
}

const BROKER_ID = 1;
const LENGTH_BYTES = 4;

const nobody: ClientConnection = {
  clientId: "test",
  clientHost: "/127.0.0.1",
  endpointOf: () => ({ host: "127.0.0.1", port: 9092 }),
  onClose: () => () => undefined,
  close: () => undefined,
};

interface InProcessOptions {
  readonly configs?: Record<string, string>;
  /** Its own from here on. @default in memory */
  readonly folder?: TemporaryFolder;
  readonly clock?: VirtualClock;
}

export class InProcessBroker implements Disposable {
  readonly clock: VirtualClock;
  readonly cluster: Cluster;
  readonly groups: Groups;
  readonly transactions: Transactions;
  /** Whether the leader of a partition can be reached by the transaction coordinator. */
  reaches: (partition: Partition) => boolean = () => true;
  readonly #fetchSessions: FetchSessions;
  readonly #served = servedApis(handlers);
  readonly #dispatcher = new Dispatcher(handlers, this.#served, (error) => {
    throw error;
  });

  readonly #options: InProcessOptions;
  readonly #keeping: Keeping;

  constructor(options: InProcessOptions = {}) {
    this.#options = options;
    this.clock = options.clock ?? new VirtualClock();
    const { folder } = options;
    this.#keeping = folder === undefined ? inMemory : new DataFolder(folder.path, silentLog);
    const configs = new ConfigStore(options.configs ?? {});
    this.#fetchSessions = new FetchSessions(this.clock);
    this.cluster = new Cluster(configs, [{ id: BROKER_ID, rack: null }], this.clock, this.#keeping);
    this.groups = new Groups(this.cluster);
    this.transactions = new Transactions(this.cluster, this.groups, (partition) => this.reaches(partition));
  }

  /** One request and its answer, each through its bytes. */
  ask<A extends Api>(api: A, version: number, request: Encodable<A["request"]>): Decoded<A["response"]> {
    const reader = new Reader(frame(api, version, request).subarray(LENGTH_BYTES));
    const reply = this.#dispatcher.serve(readRequestHeader(reader), reader, this.#context(version));
    if (reply === null || reply instanceof Promise) throw new AnswerWaitsError(api.name);
    const answer = new Reader(Buffer.concat(reply).subarray(LENGTH_BYTES));
    answer.int32();
    if (isFlexible(api, version) && api.key !== apiVersions.key) answer.unsignedVarint();
    return responseCodec(api, version).decode(answer);
  }

  #context(apiVersion: number): RequestContext {
    const { cluster, groups, transactions, clock } = this;
    return {
      brokerId: BROKER_ID,
      apiVersion,
      client: nobody,
      cluster,
      fetchSessions: this.#fetchSessions,
      groups,
      transactions,
      clock,
      log: silentLog,
      served: this.#served,
    };
  }

  createTopic(name: string, partitions: number, configs: Record<string, string> = {}): void {
    this.cluster.createTopic({
      name,
      partitions,
      replicationFactor: 1,
      assignments: [],
      configs: new Map(Object.entries(configs)),
      validateOnly: false,
    });
  }

  /** The broker that is started on what a kill leaves behind now, at the same time. This one is gone. */
  killed(): InProcessBroker {
    const folder = this.#options.folder?.copy() ?? new TemporaryFolder();
    this[Symbol.dispose]();
    return new InProcessBroker({ ...this.#options, folder, clock: this.clock });
  }

  [Symbol.dispose](): void {
    this.groups.close();
    this.transactions.close();
    this.#keeping.close();
    this.#options.folder?.[Symbol.dispose]();
  }
}
