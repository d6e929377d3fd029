/**
 * Produce, versions 3 to 11. 12 belongs to the second transaction protocol (KIP-890), 13 to topic ids.
 *
 * Listed from 0 and refused below 3: librdkafka compresses only where version 0 is listed (KAFKA-18659).
 */
import type { Partition } from "../cluster/topic.ts";
import { DecodeError } from "../protocol/decode-error.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { produce } from "../protocol/messages/produce.ts";
import { HEADER_BYTES, readHeader } from "../records/batch.ts";
import { handler, NO_RESPONSE, type RequestContext } from "./handler.ts";

interface PartitionAnswer {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs?: number;
  readonly logStartOffset?: number;
  readonly errorMessage?: string | null;
}

export const produceHandler = handler(
  produce,
  (context, request) => {
    const validAcks = request.acks === 0 || request.acks === 1 || request.acks === -1;
    let failed = false;
    const responses = request.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const answer = validAcks
          ? append(context, name, index, records)
          : refused(index, errorCode.invalidRequiredAcks, `acks=${request.acks}: only -1, 0 and 1 are legal`);
        failed ||= answer.errorCode !== errorCode.none;
        return answer;
      }),
    }));
    if (request.acks !== 0) return { responses };
    // A client that wants no answer learns of a failure by the end of its connection, as from Apache Kafka.
    if (failed) context.client.close();
    return NO_RESPONSE;
  },
  [0, 11],
);

function append(
  context: RequestContext,
  topic: string,
  index: number,
  records: Buffer | null,
): PartitionAnswer {
  const partition = context.cluster.partition(topic, index);
  if (partition === undefined) {
    return refused(
      index,
      errorCode.unknownTopicOrPartition,
      "This server does not host this topic-partition.",
    );
  }
  if (partition.leaderId !== context.brokerId) {
    return refused(index, errorCode.notLeaderOrFollower, `broker ${partition.leaderId} leads this partition`);
  }
  const bytes = records ?? Buffer.alloc(0);
  if (isTransactional(bytes)) {
    return refused(index, errorCode.invalidTxnState, "the partition is not part of an open transaction");
  }
  return appendTo(context, partition, bytes);
}

function isTransactional(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && readHeader(bytes).transactional;
}

function appendTo(context: RequestContext, partition: Partition, bytes: Buffer): PartitionAnswer {
  const { index, log } = partition;
  try {
    const result = log.append(bytes, {
      nowMs: context.clock.now(),
      leaderEpoch: partition.leaderEpoch,
      produceVersion: context.apiVersion,
    });
    if ("message" in result) return refused(index, result.errorCode, result.message);
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

function refused(index: number, code: number, message: string): PartitionAnswer {
  return { index, errorCode: code, baseOffset: -1, errorMessage: message };
}
