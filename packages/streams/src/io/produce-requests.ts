/** Produce requests are written by `Bytes`, in place of kafkajs 2.2.4's encoder, see there. */
import { createRequire } from "node:module";
import type { Message } from "kafkajs";
import { machineClock } from "./machine-clock.ts";
import { Bytes } from "./record-batch.ts";

/** What kafkajs' producer hands to a broker. */
export interface ProduceRequest {
  readonly acks?: number;
  readonly timeout?: number;
  readonly compression?: number;
  readonly transactionalId?: string | null;
  /** kafkajs' 64-bit number; its text is the number. */
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly Message[];
    }[];
  }[];
}

/** The request's body from version 3 on. `nowMs` is the time of messages without one. */
export function produceRequest(request: ProduceRequest, nowMs: number): Buffer {
  const { acks = -1, timeout = 30_000, transactionalId = null, topicData } = request;
  const { producerId = "-1", producerEpoch = 0 } = request;
  const bytes = new Bytes(sizeOf(topicData));
  bytes.string(transactionalId);
  bytes.int16(acks);
  bytes.int32(timeout);
  bytes.int32(topicData.length);
  for (const { topic, partitions } of topicData) {
    bytes.string(topic);
    bytes.int32(partitions.length);
    for (const { partition, messages, firstSequence = 0 } of partitions) {
      bytes.int32(partition);
      const sizeAt = bytes.length;
      bytes.int32(0);
      bytes.batch(
        messages,
        {
          producerId: BigInt(producerId.toString()),
          producerEpoch,
          firstSequence,
          isTransactional: transactionalId !== null,
        },
        nowMs,
      );
      bytes.int32At(sizeAt, bytes.length - sizeAt - 4);
    }
  }
  return bytes.written;
}

/** About as many bytes as it will have, so that the buffer need not grow. */
function sizeOf(topicData: ProduceRequest["topicData"]): number {
  let size = 1_024;
  for (const { partitions } of topicData) {
    for (const { messages } of partitions) {
      size += 256;
      for (const { key, value } of messages) size += 32 + (key?.length ?? 0) + (value?.length ?? 0);
    }
  }
  return size;
}

interface EncodedRequest {
  readonly request: { readonly apiVersion: number; encode: () => Promise<object> };
}

interface BrokerOfKafkajs {
  lookupRequest(apiKey: number, definitions: object): (options: ProduceRequest) => EncodedRequest;
  produce(request: ProduceRequest): Promise<unknown>;
}

let isMended = false;

export function mendProduceRequests(): void {
  if (isMended) return;
  isMended = true;
  const loaded: unknown = createRequire(import.meta.url)("kafkajs/src/broker");
  if (typeof loaded !== "function") return;
  const prototype: unknown = loaded.prototype;
  if (!canProduce(prototype)) return;
  const produce = prototype.produce;
  prototype.produce = function (this: BrokerOfKafkajs, request) {
    return produce.call(request.compression ? this : encodingItself(this), request);
  };
}

/** The same broker, whose produce requests write themselves. */
function encodingItself(broker: BrokerOfKafkajs): BrokerOfKafkajs {
  const lookupRequest: BrokerOfKafkajs["lookupRequest"] = (apiKey, definitions) => {
    const make = broker.lookupRequest(apiKey, definitions);
    return (options) => {
      const made = make(options);
      if (made.request.apiVersion < FIRST_WITH_BATCHES) return made;
      made.request.encode = () => {
        const buffer = produceRequest(options, machineClock.now());
        // What kafkajs asks of an encoder that is to be sent.
        return Promise.resolve({ buf: buffer, buffer, size: () => buffer.length });
      };
      return made;
    };
  };
  return Object.create(broker, { lookupRequest: { value: lookupRequest } });
}

/** Before this version (Kafka 0.11) records went in another format. */
const FIRST_WITH_BATCHES = 3;

function canProduce(prototype: unknown): prototype is BrokerOfKafkajs {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    "produce" in prototype &&
    typeof prototype.produce === "function"
  );
}
