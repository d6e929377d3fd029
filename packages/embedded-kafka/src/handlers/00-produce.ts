/**
 * Produce, versions 3 to 11. 12 belongs to the second transaction protocol (KIP-890), 13 to topic ids.
 *
 * Listed from 0 and refused below 3: librdkafka compresses only where version 0 is listed (KAFKA-18659).
 */
import { isInternal } from "../cluster/internal-topics.ts";
import type { Partition } from "../cluster/topic.ts";
import { DecodeError } from "../protocol/decode-error.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { produce } from "../protocol/messages/produce.ts";
import type { RequestOf } from "../protocol/schema.ts";
import {
  type BatchHeader,
  HEADER_BYTES,
  isTransactional,
  NO_PRODUCER,
  readHeader,
} from "../records/batch.ts";
import { type CurrentLeader, currentLeader, endpointsOf } from "./current-leader.ts";
import { handler, NO_RESPONSE, type RequestContext } from "./handler.ts";

type Request = RequestOf<typeof produce>;

interface PartitionAnswer {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs?: number;
  readonly logStartOffset?: number;
  readonly errorMessage?: string | null;
  readonly recordErrors?: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string }[];
  readonly currentLeader?: CurrentLeader;
}

export const produceHandler = handler(
  produce,
  (context, request) => {
    const problem = problemOf(request);
    let failed = false;
    const responses = request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const answer = problem === null ? append(context, name, index, records, request) : problem(index);
        failed ||= answer.errorCode !== errorCode.none;
        return answer;
      }),
    }));
    if (request.acks !== 0) {
      const leaders = responses.flatMap(({ partitionResponses }) =>
        partitionResponses.map((answer) => answer.currentLeader),
      );
      return { responses, nodeEndpoints: endpointsOf(context, leaders) };
    }
    // A client that wants no answer learns of a failure by the end of its connection, as from Apache Kafka.
    if (failed) context.client.close();
    return NO_RESPONSE;
  },
  [0, 11],
);

/** What is wrong with the whole of a request; null where nothing is. */
function problemOf({
  acks,
  transactionalId,
  topicData,
}: Request): ((index: number) => PartitionAnswer) | null {
  if (acks !== 0 && acks !== 1 && acks !== -1) {
    const message = `acks=${acks}: only -1, 0 and 1 are legal`;
    return (index) => refused(index, errorCode.invalidRequiredAcks, message);
  }
  if (transactionalId !== null) return null;
  const transactional = topicData.some(({ partitionData }) =>
    partitionData.some(({ records }) => transactionalHeader(records) !== null),
  );
  return transactional ? (index) => refused(index, errorCode.transactionalIdAuthorizationFailed, null) : null;
}

/** The header as it came, unchecked, of a batch that says it belongs to a transaction; null for any other. */
function transactionalHeader(records: Buffer | null): BatchHeader | null {
  if (records === null || records.length < HEADER_BYTES) return null;
  return isTransactional(records) ? readHeader(records) : null;
}

function append(
  context: RequestContext,
  topic: string,
  index: number,
  records: Buffer | null,
  { transactionalId }: Request,
): PartitionAnswer {
  if (isInternal(topic)) return refused(index, errorCode.invalidTopic, null);
  const partition = context.cluster.partition(topic, index);
  if (partition === undefined) {
    return refused(
      index,
      errorCode.unknownTopicOrPartition,
      "This server does not host this topic-partition.",
    );
  }
  if (partition.leaderId !== context.brokerId) {
    const message = `broker ${partition.leaderId} leads this partition`;
    return {
      ...refused(index, errorCode.notLeaderOrFollower, message),
      currentLeader: currentLeader(partition),
    };
  }
  const header = transactionalHeader(records);
  if (header !== null && header.producerId !== NO_PRODUCER) {
    const refusal = transactionRefusal(context, transactionalId ?? "", header, partition);
    if (refusal !== null) return refusal;
  }
  return appendTo(context, partition, records ?? Buffer.alloc(0));
}

/** What the coordinator has against a batch of a transaction, in errors that a producer knows; null where nothing. */
function transactionRefusal(
  { apiVersion, transactions, clock }: RequestContext,
  transactionalId: string,
  header: BatchHeader,
  { topic, index, log }: Partition,
): PartitionAnswer | null {
  const { producerId, producerEpoch } = header;
  log.producers.sent(header, clock.now());
  const producer = { transactionalId, producerId, producerEpoch };
  const code = transactions.verifyPartition(producer, topic.name, index);
  switch (code) {
    case errorCode.none:
      return null;
    case errorCode.producerFenced:
      return refused(index, errorCode.invalidProducerEpoch, null);
    case errorCode.concurrentTransactions:
      return refused(
        index,
        errorCode.notEnoughReplicas,
        "Unable to verify the partition has been added to the transaction. Underlying error: CONCURRENT_TRANSACTIONS",
      );
    case errorCode.transactionAbortable:
      // The error that asks for an abort is known from version 11 on; before, only the fatal one.
      return apiVersion >= 11
        ? refused(index, code, null)
        : refused(index, errorCode.invalidTxnState, "Partition was not added to the transaction");
    default:
      return refused(index, code, null);
  }
}

function appendTo(context: RequestContext, partition: Partition, bytes: Buffer): PartitionAnswer {
  const { index, log } = partition;
  try {
    const result = log.append(bytes, {
      nowMs: context.clock.now(),
      leaderEpoch: partition.leaderEpoch,
      produceVersion: context.apiVersion,
    });
    if ("message" in result) {
      const { message, badRecords = [], isUnreadable = false } = result;
      const isOfBatch = isUnreadable || result.errorCode === errorCode.messageTooLarge;
      return {
        ...refused(index, result.errorCode, message),
        // As Apache Kafka does: no word of the log where the batch itself was no good.
        logStartOffset: isOfBatch ? -1 : log.logStartOffset,
        recordErrors: badRecords.map((batchIndex) => ({ batchIndex, batchIndexErrorMessage: message })),
      };
    }
    return {
      index,
      errorCode: errorCode.none,
      baseOffset: result.baseOffset,
      logAppendTimeMs: result.logAppendTimeMs,
      logStartOffset: log.logStartOffset,
    };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return refused(index, errorCode.corruptMessage, `records can't be read: ${error.message}`);
  }
}

function refused(index: number, code: number, message: string | null): PartitionAnswer {
  return { index, errorCode: code, baseOffset: -1, errorMessage: message };
}
