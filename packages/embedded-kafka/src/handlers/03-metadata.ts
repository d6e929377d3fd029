/** Metadata, versions 0 to 13: the brokers, and the topics with their leaders. Makes missing topics where allowed. */
import { isInternal } from "../cluster/internal-topics.ts";
import { NO_LEADER, replicasOf } from "../cluster/leadership.ts";
import type { Topic } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { type RequestOf, type ResponseOf, ZERO_UUID } from "../protocol/schema.ts";
import { clusterOperations, NOT_ASKED, topicOperations } from "./authorized-operations.ts";
import { handler, type RequestContext } from "./handler.ts";

type Request = RequestOf<typeof metadata>;
type TopicAnswer = ResponseOf<typeof metadata>["topics"][number];

/** Versions 10 and 11 have a place for a topic's id, and no use for it (KIP-516). */
const BY_ID_SINCE = 12;

export const metadataHandler = handler(metadata, (context, request) => {
  const topics = request.topics ?? [];
  const byId = topics.filter(({ topicId }) => topicId !== ZERO_UUID);
  const isNameless = topics.some(({ name }) => name === null);
  if (context.apiVersion < BY_ID_SINCE && (byId.length > 0 || isNameless)) {
    return refused(request, errorCode.invalidRequest);
  }
  // One id, and names are not looked at.
  if (byId.length > 0)
    return answer(context, { ...request, topics: byId.map((one) => ({ ...one, name: null })) });
  return isNameless ? refused(request, errorCode.unknownServerError) : answer(context, request);
});

/** All of it, as Apache Kafka does: no brokers either. */
const refused = ({ topics }: Request, code: number): ResponseOf<typeof metadata> => ({
  brokers: [],
  clusterId: null,
  controllerId: -1,
  topics: (topics ?? []).map(({ name, topicId }) => missing(name ?? "", topicId, code, NOT_ASKED)),
  clusterAuthorizedOperations: NOT_ASKED,
  errorCode: code === errorCode.unknownServerError ? code : errorCode.none,
});

const answer = (context: RequestContext, request: Request): ResponseOf<typeof metadata> => ({
  brokers: context.cluster.brokers.running.map((broker) => ({
    nodeId: broker.id,
    ...context.client.endpointOf(broker),
    rack: broker.rack,
  })),
  clusterId: context.cluster.clusterId,
  controllerId: context.cluster.controllerId,
  topics: wantsAll(context, request)
    ? context.cluster.topics.map((topic) => describe(context, topic, request))
    : distinct(request.topics ?? []).map((wanted) => find(context, request, wanted)),
  clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations : NOT_ASKED,
});

/** Null from version 1 on, an empty list in version 0. */
function wantsAll({ apiVersion }: RequestContext, { topics }: Request): boolean {
  return topics === null || (apiVersion === 0 && topics.length === 0);
}

type WantedTopic = NonNullable<Request["topics"]>[number];

/** A topic that is asked for twice is answered once. */
function distinct(topics: readonly WantedTopic[]): WantedTopic[] {
  return [...new Map(topics.map((topic) => [topic.name ?? topic.topicId, topic])).values()];
}

function find(context: RequestContext, request: Request, wanted: WantedTopic): TopicAnswer {
  if (wanted.name === null) {
    const topic = context.cluster.topicById(wanted.topicId);
    return topic === undefined
      ? missing(null, wanted.topicId, errorCode.unknownTopicId, NOT_ASKED)
      : describe(context, topic, request);
  }
  const operations = operationsOf(request);
  const topic = context.cluster.topic(wanted.name);
  if (topic !== undefined) return describe(context, topic, request);
  const mayCreate =
    request.allowAutoTopicCreation && context.cluster.configs.brokerFlag("auto.create.topics.enable");
  const created = context.cluster.autoCreateTopic(wanted.name, !mayCreate);
  if (created.errorCode !== errorCode.none)
    return missing(wanted.name, ZERO_UUID, created.errorCode, operations);
  const fresh = context.cluster.topic(wanted.name);
  if (fresh === undefined) {
    return missing(wanted.name, ZERO_UUID, errorCode.unknownTopicOrPartition, operations);
  }
  context.log.info({ topic: wanted.name, clientId: context.client.clientId }, "topic created automatically");
  return describe(context, fresh, request);
}

const operationsOf = ({ includeTopicAuthorizedOperations }: Request): number =>
  includeTopicAuthorizedOperations ? topicOperations : NOT_ASKED;

function missing(name: string | null, topicId: string, code: number, operations: number): TopicAnswer {
  return {
    errorCode: code,
    name,
    topicId,
    isInternal: name !== null && isInternal(name),
    partitions: [],
    topicAuthorizedOperations: operations,
  };
}

function describe({ cluster }: RequestContext, topic: Topic, request: Request): TopicAnswer {
  return {
    errorCode: errorCode.none,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions: topic.partitions.map((partition) => ({
      errorCode: partition.leaderId === NO_LEADER ? errorCode.leaderNotAvailable : errorCode.none,
      partitionIndex: partition.index,
      leaderId: partition.leaderId,
      leaderEpoch: partition.leaderEpoch,
      ...replicasOf(partition, cluster.brokers),
    })),
    topicAuthorizedOperations: operationsOf(request),
  };
}
