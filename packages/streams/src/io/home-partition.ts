/** Where a key's records belong: the partition that Kafka's Java client, and so everybody here, puts them into. */
import { partitionOf } from "./partitioner.ts";

const KEYS_MAX = 10_000;

/** Tells of keys of one topic whether a partition is theirs. Remembers what it found for up to 10,000 keys. */
export function homeOf(partition: number, partitions: number): (key: string) => boolean {
  const known = new Map<string, boolean>();
  return (key) => {
    let isHome = known.get(key);
    if (isHome === undefined) {
      isHome = partitionOf(key, partitions) === partition;
      if (known.size >= KEYS_MAX) known.clear();
      known.set(key, isHome);
    }
    return isHome;
  };
}
