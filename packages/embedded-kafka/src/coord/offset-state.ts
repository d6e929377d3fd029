/** How committed offsets are kept: one entry for each partition of a group, and for each that waits for a transaction. */
import { numberIn, Saved, textIn } from "../storage/saved.ts";
import type { StateEntry, StateStore } from "../storage/state-store.ts";
import type { CommittedOffset, OffsetKeeper } from "./offsets.ts";

const COMMITTED = "offset";
const PENDING = "pending offset";

export function offsetKeeper(state: StateStore, groupId: string): OffsetKeeper {
  return {
    committed(topic, partition, offset, order) {
      const key = [COMMITTED, groupId, topic, partition] as const;
      if (offset === null) state.delete(key);
      else state.put(key, { ...offset, order });
    },
    pending(producerId, topic, partition, offset, order) {
      const key = [PENDING, groupId, topic, partition, producerId] as const;
      if (offset === null) state.delete(key);
      else state.put(key, { ...offset, order });
    },
    together: (work) => state.together(work),
  };
}

/** An offset as it was kept. */
export interface KeptOffset {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: CommittedOffset;
  readonly order: number;
  /** Of the transaction that it waits for; null for one that is committed. */
  readonly producerId: number | null;
}

export function keptOffsets(state: StateStore): KeptOffset[] {
  return [
    ...state.entries(COMMITTED).map((entry) => keptOffset(entry, null)),
    ...state.entries(PENDING).map((entry) => keptOffset(entry, numberIn(entry, 4))),
  ];
}

function keptOffset(entry: StateEntry, producerId: number | null): KeptOffset {
  const saved = new Saved(entry);
  return {
    groupId: textIn(entry, 1),
    topic: textIn(entry, 2),
    partition: numberIn(entry, 3),
    producerId,
    order: saved.number("order"),
    offset: {
      offset: saved.number("offset"),
      leaderEpoch: saved.number("leaderEpoch"),
      metadata: saved.text("metadata"),
      committedMs: saved.number("committedMs"),
    },
  };
}
