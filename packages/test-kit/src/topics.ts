import type { Admin, ITopicConfig } from "kafkajs";
import { waitFor } from "./wait-for.ts";

/**
 * Makes topics and waits until each partition's leader takes requests for it.
 *
 * A broker names a leader before that leader has made its log: a record sent then is refused for one partition, and
 * kafkajs sends those of the other partitions again, twice for whoever counts them. Asking for offsets is answered
 * only by a leader that is ready.
 *
 * Not by kafkajs's `waitForLeaders`: it takes "unknown topic" (3), which a KRaft broker answers until it has heard of
 * the topic that its controller made, for an error.
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  for (const { topic, numPartitions } of topics) {
    await waitFor(`the leaders of ${topic}`, async () => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.length >= Math.max(numPartitions ?? 1, 1);
    });
  }
}
