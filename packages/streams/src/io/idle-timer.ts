/**
 * A work-around for kafkajs 2.2.4 on Node 22 and newer (tulios/kafkajs#1751): each connection plans its next look at its
 * empty queue in `-1 - now` milliseconds. Node warns of the negative number and takes 1 ms for it, so that every
 * connection wakes the process a thousand times a second for nothing. Here a look is planned only while something waits.
 */
import { createRequire } from "node:module";

interface Queue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
}

type Schedule = (this: Queue) => void;

const mended = new WeakSet<object>();

export function mendIdleTimer(): void {
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/network/requestQueue");
  if (typeof loaded !== "function") return;
  const prototype: unknown = loaded.prototype;
  if (!hasSchedule(prototype) || mended.has(prototype)) return;
  mended.add(prototype);
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: Queue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}

function hasSchedule(prototype: unknown): prototype is { scheduleCheckPendingRequests: Schedule } {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    "scheduleCheckPendingRequests" in prototype &&
    typeof prototype.scheduleCheckPendingRequests === "function"
  );
}
