import type { IncomingRecord, OutgoingRecord } from "../ports.ts";

/** Where one task's outputs go. */
export interface Outlet {
  /** `origin` is what the record came of. */
  emit(record: OutgoingRecord, origin: IncomingRecord): void;
  /** To be waited for before more is told; undefined where there is room. */
  room(): Promise<void> | undefined;
}
