/** What files of tests of transactions share: a client of the cluster under test, topics, and what a reader sees of them. */
import { afterAll, beforeAll } from "vitest";
import { connectToCluster, fetchOne, freshTopic } from "./cluster-under-test.ts";
import { seenIn } from "./consumed.ts";
import type { RawClient } from "./raw-client.ts";
import { TransactionClient } from "./transaction-client.ts";

export const READ_COMMITTED = 1;
/** The most partitions that a test writes to. */
const PARTITIONS = 2;

/** Sets the file's hooks: connects, and waits until the cluster coordinates transactions. */
export function transactionsUnderTest() {
  let client: RawClient;
  beforeAll(async () => {
    client = await connectToCluster();
    await using first = await TransactionClient.of();
    await first.coordinatorReady();
  });
  afterAll(() => client[Symbol.asyncDispose]());

  return {
    get client(): RawClient {
      return client;
    },
    async freshTopicName(configs: Record<string, string> = {}): Promise<string> {
      return (await freshTopic(client, { partitions: PARTITIONS, configs })).name;
    },
    async read(name: string, isolationLevel = READ_COMMITTED, from = 0): Promise<string[]> {
      return seenIn(await fetchOne(client, name, from, { isolationLevel }));
    },
  };
}
