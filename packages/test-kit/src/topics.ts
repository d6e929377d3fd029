import type { Admin, ITopicConfig } from "kafkajs";
import { waitFor } from "./wait-for.ts";

/**
 * Makes topics and waits until each partition has a leader.
 *
 * Not by kafkajs's `waitForLeaders`: it takes "unknown topic" (3), which a KRaft broker answers until it has heard of
 * the topic that its controller made, for an error.
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  await waitFor(`leaders of ${names.join(", ")}`, async () => {
    const known = await admin.fetchTopicMetadata({ topics: names });
    return known.topics.every(
      ({ partitions }) => partitions.length > 0 && partitions.every((p) => p.leader >= 0),
    );
  });
}
