/** Monitors consumer groups from outside: members, committed offsets, and the ends of their topics. */
import type { Admin, Kafka } from "kafkajs";
import type { Cancel, Clock, KafkaConnection, Log } from "../ports.ts";
import { explained, isAccessRefusal } from "./access.ts";
import { createKafka } from "./kafka-client.ts";
import { isBrokerAway, isTopicMissing } from "./kafka-errors.ts";
import { machineClock, within } from "./machine-clock.ts";

/** A consumer group and the topic that it reads. */
export interface WatchedGroup {
  readonly groupId: string;
  /** The topic that the group reads. */
  readonly topic: string;
}

/** A group's state at one moment. */
export interface GroupLook {
  /** True when the group has members. */
  readonly isRun: boolean;
  /** Committed offset by partition: the next record to process. Missing if none was committed. */
  readonly positions: ReadonlyMap<number, number>;
  /** The topic's end by partition; fetched after the positions, so that none is beyond it. */
  readonly ends: ReadonlyMap<number, number>;
}

/** Which groups to check, how often, and the callback. */
export interface GroupWatchOptions {
  readonly kafka: KafkaConnection;
  readonly groups: readonly WatchedGroup[];
  readonly log: Log;
  /** From the end of one check to the start of the next. Default: 1000 ms. */
  readonly everyMs?: number;
  readonly clock?: Clock;
  /** Called for each group, in order, once per round; undefined if Kafka did not answer or lacks the topic. */
  onLook(group: WatchedGroup, look: GroupLook | undefined): void;
}

/** Checks repeatedly how far consumer groups have read, until closed. */
export interface GroupWatch {
  close(): Promise<void>;
}

/** Checks the groups repeatedly until closed. Never throws: a failed check is reported to `onLook` as undefined. */
export function watchGroups(options: GroupWatchOptions): GroupWatch {
  const { clock = machineClock, everyMs = 1_000, groups, log, onLook } = options;
  const kafka = createKafka(options);
  let admin: Admin | undefined;
  let isClosed = false;
  let isTold = false;
  let cancel: Cancel = () => {};

  const drop = async () => {
    const gone = admin;
    admin = undefined;
    if (gone !== undefined) await within(clock, 1_000, gone.disconnect());
  };
  const round = async () => {
    try {
      admin ??= await connected(kafka);
      const looks = await lookAt(admin, groups);
      if (isClosed) return;
      for (const group of groups) onLook(group, looks.get(group));
      isTold = false;
    } catch (error) {
      await drop();
      if (isClosed) return;
      // An unreachable Kafka is logged by the clients that read or write.
      const isOurs = !isBrokerAway(error) && !isAccessRefusal(error);
      const fields = { reason: explained(error) };
      if (!isTold) log[isOurs ? "warn" : "debug"](fields, "consumer groups can't be checked; retrying");
      isTold = true;
      for (const group of groups) onLook(group, undefined);
    }
  };
  const goOn = (): Promise<void> =>
    round().then(() => {
      if (!isClosed) cancel = clock.setTimeout(() => (running = goOn()), everyMs);
    });
  let running = goOn();

  return {
    async close() {
      isClosed = true;
      cancel();
      await drop();
      await within(clock, 2_000, running);
      await drop();
    },
  };
}

async function connected(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    // A client that never connected keeps its sockets' timers otherwise.
    await admin.disconnect().catch(() => {});
    throw error;
  }
}

async function lookAt(admin: Admin, groups: readonly WatchedGroup[]): Promise<Map<WatchedGroup, GroupLook>> {
  const looks = new Map<WatchedGroup, GroupLook>();
  const described = await admin.describeGroups(groups.map(({ groupId }) => groupId));
  const running = new Set(
    described.groups.filter(({ members }) => members.length > 0).map(({ groupId }) => groupId),
  );
  const allPositions = await Promise.all(groups.map((group) => unlessMissing(positionsOf(admin, group))));
  const topics = [...new Set(groups.map(({ topic }) => topic))];
  const allEnds = new Map(
    await Promise.all(
      topics.map(async (topic) => [topic, await unlessMissing(endsOf(admin, topic))] as const),
    ),
  );
  for (const [i, group] of groups.entries()) {
    const positions = allPositions[i];
    const ends = allEnds.get(group.topic);
    if (positions === undefined || ends === undefined) continue;
    looks.set(group, { isRun: running.has(group.groupId), positions, ends });
  }
  return looks;
}

async function positionsOf(admin: Admin, { groupId, topic }: WatchedGroup): Promise<Map<number, number>> {
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
  const told = (committed?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0);
  return new Map(told.map(({ partition, offset }) => [partition, Number(offset)]));
}

async function endsOf(admin: Admin, topic: string): Promise<Map<number, number>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
}

async function unlessMissing<R>(work: Promise<R>): Promise<R | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isTopicMissing(error)) return undefined;
    throw error;
  }
}
