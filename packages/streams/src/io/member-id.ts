/**
 * Lets a consumer rejoin as the group member that an earlier consumer of this process was.
 *
 * After a broker's restart the group still knows the member whose connection broke. A consumer that joins as somebody new
 * waits until that one is given up: a whole session timeout (seen: 8 s of 8). kafkajs 2.2.4 always joins as somebody new,
 * and has no option for it. Where the group does not know the member any more, kafkajs joins as a new one by itself.
 */
import { createRequire } from "node:module";

interface GroupMembership {
  memberId: string | null;
}

type Connect = (this: GroupMembership) => Promise<void>;

let isMended = false;
let inherited: string | undefined;

/** Runs `start`, which must call kafkajs's `consumer.run` synchronously, so that the consumer joins as this member. */
export function asMember<R>(memberId: string | undefined, start: () => R): R {
  mend();
  inherited = memberId;
  try {
    return start();
  } finally {
    inherited = undefined;
  }
}

function mend(): void {
  if (isMended) return;
  isMended = true;
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/consumer/consumerGroup");
  if (typeof loaded !== "function") return;
  const prototype: unknown = loaded.prototype;
  if (!canConnect(prototype)) return;
  const connect = prototype.connect;
  prototype.connect = function (this: GroupMembership) {
    if (inherited !== undefined && this.memberId === null) this.memberId = inherited;
    return connect.call(this);
  };
}

function canConnect(prototype: unknown): prototype is { connect: Connect } {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    "connect" in prototype &&
    typeof prototype.connect === "function"
  );
}
