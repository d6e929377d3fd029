/**
 * Fetch, versions 4 to 17; from 13 on topics come by id (KIP-516).
 *
 * A request tells all that it wants, or continues a session (KIP-227). One that finds too little waits for more bytes,
 * for an error, or for its deadline.
 */
import type { FetchedPartition, FetchSession, PartitionKey } from "../cluster/fetch-sessions.ts";
import type { Partition } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import type { RequestOf, ResponseOf } from "../protocol/schema.ts";
import { currentLeader, endpointsOf } from "./current-leader.ts";
import { divergence, type EpochEnd } from "./epoch-end.ts";
import { handler, leadershipProblem, type RequestContext } from "./handler.ts";

type Request = RequestOf<typeof fetch>;
type Response = ResponseOf<typeof fetch>;
const READ_COMMITTED = 1;
/** Epochs that ask for everything (KIP-227): the first of a session to be, and the last of none. */
const FIRST = 0;
const LAST = -1;
/** From this version on topics come by id (KIP-516). */
const BY_ID = 13;

type PartitionAnswer = Response["responses"][number]["partitions"][number];

interface Wanted extends FetchedPartition {
  /** The error where the partition is not there. */
  readonly missing: number;
  readonly partition: Partition | undefined;
}

interface Read {
  readonly one: Wanted;
  readonly answer: PartitionAnswer;
  readonly bytes: number;
}

interface Found {
  readonly reads: readonly Read[];
  readonly bytes: number;
  /** An error, or a reader that has to go back: told at once. */
  readonly urgent: boolean;
}

/** A fetch that was let in: what it reads, and what its answer tells of that. */
interface Round {
  readonly wanted: readonly Wanted[];
  respond(found: Found): Response;
}

export const fetchHandler = handler(fetch, (context, request) => {
  const { sessionEpoch } = request;
  const round =
    sessionEpoch === FIRST || sessionEpoch === LAST ? full(context, request) : incremental(context, request);
  if (typeof round === "number") return { errorCode: round, responses: [] };
  const found = read(context, request, round.wanted);
  return isEnough(request, round, found) ? round.respond(found) : park(context, request, round);
});

/** Everything that the request names. A session of the client's ends here; epoch 0 begins another one. */
function full(context: RequestContext, request: Request): Round {
  const { brokerId, fetchSessions } = context;
  fetchSessions.end(brokerId, request.sessionId);
  const asked = askedFor(context, request);
  return {
    wanted: asked.map((one) => resolve(context, one)),
    respond: (found) => {
      const begins = request.sessionEpoch === FIRST;
      const session = begins ? fetchSessions.begin(brokerId, isById(context), asked) : null;
      return answerOf(context, found.reads, session);
    },
  };
}

/** The next round of a session; an error where it can't be. */
function incremental(context: RequestContext, request: Request): Round | number {
  const { brokerId, fetchSessions } = context;
  const session = fetchSessions.find(brokerId, request.sessionId);
  if (session === undefined) return errorCode.fetchSessionIdNotFound;
  if (session.epoch !== request.sessionEpoch) return errorCode.invalidFetchSessionEpoch;
  if (session.byId !== isById(context)) return errorCode.fetchSessionTopicIdError;
  const asked = askedFor(context, request);
  const goesOn = fetchSessions.advance(brokerId, session, asked, forgottenBy(request));
  return {
    wanted: session.wanted.map((one) => resolve(context, one)),
    respond: ({ reads }) => answerOf(context, reads, goesOn ? session : null),
  };
}

function isById({ apiVersion }: RequestContext): boolean {
  return apiVersion >= BY_ID;
}

function askedFor(context: RequestContext, { topics }: Request): FetchedPartition[] {
  return topics.flatMap(({ topic, topicId, partitions }) => {
    const found = isById(context) ? context.cluster.topicById(topicId) : undefined;
    return partitions.map((partition) => ({
      topic,
      topicId,
      index: partition.partition,
      fetchOffset: partition.fetchOffset,
      maxBytes: partition.partitionMaxBytes,
      currentLeaderEpoch: partition.currentLeaderEpoch,
      lastFetchedEpoch: partition.lastFetchedEpoch,
      found,
    }));
  });
}

function forgottenBy({ forgottenTopicsData }: Request): PartitionKey[] {
  return forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((index) => ({ topic, topicId, index })),
  );
}

function resolve(context: RequestContext, one: FetchedPartition): Wanted {
  const byId = isById(context);
  const found = byId ? (one.found ?? context.cluster.topicById(one.topicId)) : undefined;
  const topic = byId ? found : context.cluster.topic(one.topic);
  const missing = byId && topic === undefined ? errorCode.unknownTopicId : errorCode.unknownTopicOrPartition;
  const partition = topic?.deleted === false ? topic.partitions[one.index] : undefined;
  return { ...one, found, missing, partition };
}

function read(context: RequestContext, request: Request, wanted: readonly Wanted[]): Found {
  let bytes = 0;
  let urgent = false;
  const reads = wanted.map((one): Read => {
    const refusal = refusedOrSentBack(context, one);
    if (refusal !== null || one.partition === undefined) {
      urgent = true;
      return { one, answer: refusal ?? refused(one, one.missing, context.apiVersion), bytes: 0 };
    }
    const room = Math.min(one.maxBytes, request.maxBytes - bytes);
    const result = readPartition(one, one.partition, room, bytes === 0, request.isolationLevel);
    bytes += result.bytes;
    return result;
  });
  return { reads, bytes, urgent };
}

/** The answer where nothing can be read: an error, or that the reader has read what is not there. */
function refusedOrSentBack({ brokerId, apiVersion }: RequestContext, one: Wanted): PartitionAnswer | null {
  const { partition, fetchOffset } = one;
  if (partition === undefined) return null;
  const problem = partition.topic.deleted
    ? errorCode.unknownTopicOrPartition
    : leadershipProblem(partition, brokerId, one.currentLeaderEpoch);
  if (problem !== null) return refused(one, problem, apiVersion);
  const { logStartOffset, highWatermark } = partition.log;
  const end = divergence(partition, one.lastFetchedEpoch, fetchOffset);
  const isBeyond = end === null ? fetchOffset > highWatermark : end.endOffset < 0;
  if (isBeyond || fetchOffset < logStartOffset) return refused(one, errorCode.offsetOutOfRange, apiVersion);
  return end === null ? null : sentBack(partition, end, one.index);
}

function readPartition(
  one: Wanted,
  { log }: Partition,
  room: number,
  atLeastOne: boolean,
  isolationLevel: number,
): Read {
  const committedOnly = isolationLevel === READ_COMMITTED;
  const endOffset = committedOnly ? log.lastStableOffset : log.highWatermark;
  const found = log.read(one.fetchOffset, room, atLeastOne, endOffset);
  const answer = {
    partitionIndex: one.index,
    errorCode: errorCode.none,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    abortedTransactions: committedOnly ? log.abortedBetween(one.fetchOffset, found.nextOffset) : null,
    records: found.batches,
  };
  return { one, answer, bytes: found.bytes };
}

/** The answer to a reader of records that are not in this log: where the epoch ends that it has read in. */
function sentBack({ log }: Partition, end: EpochEnd, partitionIndex: number): PartitionAnswer {
  const { highWatermark, lastStableOffset, logStartOffset } = log;
  return {
    partitionIndex,
    errorCode: errorCode.none,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch: { epoch: end.leaderEpoch, endOffset: end.endOffset },
    abortedTransactions: null,
    records: [],
  };
}

/** All that was read, or of a session's partitions those that have news. */
function answerOf(context: RequestContext, reads: readonly Read[], session: FetchSession | null): Response {
  const told = session === null ? reads : reads.filter((one) => tells(session, one));
  const leaders = told.map(({ answer }) => answer.currentLeader);
  const responses = byTopic(told);
  const sessionId = session?.id ?? 0;
  if (leaders.every((leader) => leader == null)) return { sessionId, responses };
  return { sessionId, responses, nodeEndpoints: endpointsOf(context, leaders) };
}

function tells(session: FetchSession, { one, answer, bytes }: Read): boolean {
  const { logStartOffset = -1, divergingEpoch } = answer;
  return session.isNews(one, { ...answer, logStartOffset, bytes, diverges: divergingEpoch != null });
}

/** Neighbours of the same topic together. */
function byTopic(reads: readonly Read[]): Response["responses"] {
  const topics: { topic: string; topicId: string; partitions: PartitionAnswer[] }[] = [];
  for (const { one, answer } of reads) {
    const last = topics.at(-1);
    if (last?.topic === one.topic && last.topicId === one.topicId) last.partitions.push(answer);
    else topics.push({ topic: one.topic, topicId: one.topicId, partitions: [answer] });
  }
  return topics;
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

function isEnough(request: Request, { wanted }: Round, found: Found): boolean {
  const nothingAsked = wanted.length === 0;
  const minBytes = Math.min(request.minBytes, request.maxBytes);
  return nothingAsked || found.urgent || request.maxWaitMs <= 0 || found.bytes >= minBytes;
}

/** Waits until the partitions give enough, one of them fails, the time is up, or the client is gone. */
function park(context: RequestContext, request: Request, round: Round): Promise<Response> {
  return new Promise((answer, reject) => {
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
        const found = read(context, request, round.wanted);
        if (!timeIsUp && !isEnough(request, round, found)) return;
        finish();
        answer(round.respond(found));
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
    const stops = round.wanted.flatMap(({ partition }) => partition?.log.onChange(changed) ?? []);
    stops.push(context.client.onClose(finish));
  });
}
