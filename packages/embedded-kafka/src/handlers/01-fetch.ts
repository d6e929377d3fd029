/**
 * Fetch, versions 4 to 17; from 13 on topics come by id (KIP-516).
 *
 * Every answer is a full one and no session is ever made, which any client must accept (KIP-227). A request that finds
 * too little waits for more bytes, for an error, or for its deadline.
 */
import type { Partition, Topic } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import type { RequestOf, ResponseOf } from "../protocol/schema.ts";
import { currentLeader, endpointsOf } from "./current-leader.ts";
import { handler, leadershipProblem, type RequestContext } from "./handler.ts";

type Request = RequestOf<typeof fetch>;
type Response = ResponseOf<typeof fetch>;
const READ_COMMITTED = 1;

type PartitionAnswer = Response["responses"][number]["partitions"][number];

interface Wanted {
  readonly index: number;
  readonly fetchOffset: number;
  readonly maxBytes: number;
  readonly currentLeaderEpoch: number;
  readonly partition: Partition | undefined;
}

interface WantedTopic {
  readonly topic: string;
  readonly topicId: string;
  /** The error of every partition where the topic is not there. */
  readonly missing: number;
  readonly partitions: readonly Wanted[];
}

interface Found {
  readonly response: Response;
  readonly bytes: number;
  readonly failed: boolean;
}

export const fetchHandler = handler(fetch, (context, request) => {
  const sessionProblem = sessionError(request);
  if (sessionProblem !== null) return { errorCode: sessionProblem, responses: [] };
  const wanted = request.topics.map((topic) => resolveTopic(context, topic));
  const found = read(context, request, wanted);
  return isEnough(request, found) ? found.response : park(context, request, wanted);
});

/** No session id was ever given out, so none can be known. */
function sessionError({ sessionId, sessionEpoch }: Request): number | null {
  if (sessionEpoch <= 0) return null;
  return sessionId === 0 ? errorCode.invalidFetchSessionEpoch : errorCode.fetchSessionIdNotFound;
}

function resolveTopic(context: RequestContext, wanted: Request["topics"][number]): WantedTopic {
  const byId = context.apiVersion >= 13;
  const topic: Topic | undefined = byId
    ? context.cluster.topicById(wanted.topicId)
    : context.cluster.topic(wanted.topic);
  return {
    topic: wanted.topic,
    topicId: wanted.topicId,
    missing: byId && topic === undefined ? errorCode.unknownTopicId : errorCode.unknownTopicOrPartition,
    partitions: wanted.partitions.map((partition) => ({
      index: partition.partition,
      fetchOffset: partition.fetchOffset,
      maxBytes: partition.partitionMaxBytes,
      currentLeaderEpoch: partition.currentLeaderEpoch,
      partition: topic?.partitions[partition.partition],
    })),
  };
}

function read(context: RequestContext, request: Request, wanted: readonly WantedTopic[]): Found {
  const committedOnly = request.isolationLevel === READ_COMMITTED;
  let bytes = 0;
  let failed = false;
  const responses = wanted.map(({ topic, topicId, missing, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map((one) => {
      const problem = problemOf(one, context.brokerId, missing);
      if (problem !== null || one.partition === undefined) {
        failed = true;
        return refused(one, problem ?? missing, context.apiVersion);
      }
      const { log } = one.partition;
      const room = Math.min(one.maxBytes, request.maxBytes - bytes);
      const endOffset = committedOnly ? log.lastStableOffset : log.highWatermark;
      const found = log.read(one.fetchOffset, room, bytes === 0, endOffset);
      bytes += found.bytes;
      return {
        partitionIndex: one.index,
        errorCode: errorCode.none,
        highWatermark: log.highWatermark,
        lastStableOffset: log.lastStableOffset,
        logStartOffset: log.logStartOffset,
        abortedTransactions: committedOnly ? log.abortedBetween(one.fetchOffset, found.nextOffset) : null,
        records: found.batches,
      };
    }),
  }));
  if (!failed) return { response: { responses }, bytes, failed };
  const leaders = responses.flatMap(({ partitions }) => partitions.map((answer) => answer.currentLeader));
  return { response: { responses, nodeEndpoints: endpointsOf(context, leaders) }, bytes, failed };
}

function problemOf(one: Wanted, brokerId: number, missing: number): number | null {
  const { partition } = one;
  if (partition === undefined) return missing;
  if (partition.topic.deleted) return errorCode.unknownTopicOrPartition;
  const problem = leadershipProblem(partition, brokerId, one.currentLeaderEpoch);
  if (problem !== null) return problem;
  const { logStartOffset, highWatermark } = partition.log;
  const outside = one.fetchOffset < logStartOffset || one.fetchOffset > highWatermark;
  return outside ? errorCode.offsetOutOfRange : null;
}

/** Errors of a client that does not know who leads: it is told, from version 16 on. */
const LED_ELSEWHERE: readonly number[] = [errorCode.notLeaderOrFollower, errorCode.fencedLeaderEpoch];

function refused({ index, partition }: Wanted, code: number, apiVersion: number): PartitionAnswer {
  const tell = apiVersion >= 16 && LED_ELSEWHERE.includes(code);
  return {
    partitionIndex: index,
    errorCode: code,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: partition === undefined ? [] : null,
    records: [],
    currentLeader: tell && partition !== undefined ? currentLeader(partition) : null,
  };
}

function isEnough(request: Request, found: Found): boolean {
  const nothingAsked = request.topics.every((topic) => topic.partitions.length === 0);
  const minBytes = Math.min(request.minBytes, request.maxBytes);
  return nothingAsked || found.failed || request.maxWaitMs <= 0 || found.bytes >= minBytes;
}

/** Waits until the partitions give enough, one of them fails, the time is up, or the client is gone. */
function park(context: RequestContext, request: Request, wanted: readonly WantedTopic[]): Promise<Response> {
  return new Promise((resolve, reject) => {
    let scheduled = false;
    let done = false;
    const finish = () => {
      done = true;
      deadline.cancel();
      for (const stop of stops) stop();
    };
    const look = (timeIsUp: boolean) => {
      scheduled = false;
      if (done) return;
      try {
        const found = read(context, request, wanted);
        if (!timeIsUp && !isEnough(request, found)) return;
        finish();
        resolve(found.response);
      } catch (error) {
        finish();
        reject(error);
      }
    };
    // Once for all partitions of one produce request, after it is through.
    const changed = () => {
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(() => look(false));
    };
    const deadline = context.clock.setTimer(request.maxWaitMs, () => look(true));
    const stops = wanted
      .flatMap((topic) => topic.partitions)
      .flatMap(({ partition }) => partition?.log.onChange(changed) ?? []);
    stops.push(context.client.onClose(finish));
  });
}
