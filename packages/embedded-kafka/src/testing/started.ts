/** A broker of a test's own with clients that say what they are told; all of it ends with the test. */
import { type Broker, type BrokerOptions, type Log, startBroker } from "../index.ts";
import { RawClient } from "./raw-client.ts";

export interface Started extends AsyncDisposable {
  readonly broker: Broker;
  /** Connected to the first broker. */
  readonly client: RawClient;
  /** Lines of the broker's log. */
  readonly logged: string[];
  /** Another connection, to the first broker or to one that is named. */
  connect(brokerId?: number, clientId?: string): Promise<RawClient>;
}

export async function started(options: BrokerOptions = {}): Promise<Started> {
  const logged: string[] = [];
  const say = (level: string) => (fields: object, message: string) => {
    logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
  const broker = await startBroker({ log, ...options });
  const open: RawClient[] = [];
  const connectRaw = async (brokerId?: number, clientId?: string) => {
    const index = brokerId === undefined ? 0 : broker.nodes().findIndex(({ id }) => id === brokerId);
    const client = await RawClient.to(broker.brokers[index] ?? "", clientId);
    open.push(client);
    return client;
  };
  return {
    broker,
    logged,
    client: await connectRaw(),
    connect: connectRaw,
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((client) => client[Symbol.asyncDispose]()));
      await broker.stop();
    },
  };
}
