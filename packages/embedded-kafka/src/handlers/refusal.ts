/** For each API, the answer that refuses a request as a whole: the same error wherever the answer has a place for one. */
import { addPartitionsToTxn } from "../protocol/messages/add-partitions-to-txn.ts";
import { alterConfigs } from "../protocol/messages/alter-configs.ts";
import { createPartitions } from "../protocol/messages/create-partitions.ts";
import { createTopics } from "../protocol/messages/create-topics.ts";
import { deleteGroups } from "../protocol/messages/delete-groups.ts";
import { deleteRecords } from "../protocol/messages/delete-records.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { describeConfigs } from "../protocol/messages/describe-configs.ts";
import { describeGroups } from "../protocol/messages/describe-groups.ts";
import { describeLogDirs } from "../protocol/messages/describe-log-dirs.ts";
import { describeProducers } from "../protocol/messages/describe-producers.ts";
import { describeTopicPartitions } from "../protocol/messages/describe-topic-partitions.ts";
import { describeTransactions } from "../protocol/messages/describe-transactions.ts";
import { electLeaders } from "../protocol/messages/elect-leaders.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find-coordinator.ts";
import { incrementalAlterConfigs } from "../protocol/messages/incremental-alter-configs.ts";
import { initProducerId } from "../protocol/messages/init-producer-id.ts";
import { joinGroup } from "../protocol/messages/join-group.ts";
import { listOffsets } from "../protocol/messages/list-offsets.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { offsetCommit } from "../protocol/messages/offset-commit.ts";
import { offsetFetch } from "../protocol/messages/offset-fetch.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset-for-leader-epoch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { txnOffsetCommit } from "../protocol/messages/txn-offset-commit.ts";
import { type Api, type RequestOf, type ResponseOf, ZERO_UUID } from "../protocol/schema.ts";
import { NO_PRODUCER, NO_PRODUCER_EPOCH } from "../records/batch.ts";

const NONE = 0;

type Refuse = (request: never, errorCode: number, apiVersion: number) => object;

const refusals = new Map<number, Refuse>();

/** Says how an API refuses; where this is not said, its answer is empty but for its one error. */
function refuses<A extends Api>(
  api: A,
  refuse: (request: RequestOf<A>, errorCode: number, apiVersion: number) => ResponseOf<A> & object,
): void {
  refusals.set(api.key, refuse);
}

/** The answer to a request, decoded by the API's own schema, that nothing of it was done and why. */
export function refusalOf(api: Api, request: unknown, errorCode: number, apiVersion: number): object {
  const refuse = refusals.get(api.key);
  if (refuse !== undefined) return refuse(request as never, errorCode, apiVersion);
  const response: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(api.response)) response[name] = field.absent;
  return { ...response, errorCode };
}

refuses(produce, ({ topicData }, errorCode) => ({
  responses: topicData.map(({ name, partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
  })),
}));

refuses(describeLogDirs, (_request, errorCode) => ({
  errorCode,
  results: [{ errorCode, logDir: "", topics: [] }],
}));

refuses(electLeaders, ({ topicPartitions }, errorCode) => ({
  errorCode,
  replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode })),
  })),
}));

/** One that continues a session and names nothing is refused as a whole; its client begins another session. */
refuses(fetch, ({ topics, sessionEpoch }, errorCode) => ({
  errorCode: topics.length === 0 && sessionEpoch > 0 ? errorCode : NONE,
  responses: topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => ({
      partitionIndex: partition,
      errorCode,
      highWatermark: -1,
      abortedTransactions: null,
      records: [],
    })),
  })),
}));

refuses(listOffsets, ({ topics }, errorCode) => ({
  topics: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  })),
}));

refuses(metadata, ({ topics }, errorCode) => ({
  brokers: [],
  topics: (topics ?? []).map(({ name, topicId }) => ({ errorCode, name, topicId, partitions: [] })),
  errorCode,
}));

const committed = (
  { topics }: RequestOf<typeof offsetCommit> | RequestOf<typeof txnOffsetCommit>,
  errorCode: number,
) => ({
  topics: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  })),
});
refuses(offsetCommit, committed);
refuses(txnOffsetCommit, committed);

refuses(offsetFetch, ({ groups, topics }, errorCode, apiVersion) => {
  if (apiVersion >= 8) return { groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })) };
  if (apiVersion >= 2) return { errorCode };
  return {
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: -1,
        metadata: "",
        errorCode,
      })),
    })),
  };
});

refuses(findCoordinator, ({ coordinatorKeys }, errorCode) => ({
  errorCode,
  nodeId: -1,
  port: -1,
  coordinators: coordinatorKeys.map((key) => ({
    key,
    nodeId: -1,
    host: "",
    port: -1,
    errorCode,
    errorMessage: null,
  })),
}));

refuses(joinGroup, ({ memberId }, errorCode, apiVersion) => ({
  errorCode,
  generationId: -1,
  protocolName: apiVersion >= 7 ? null : "",
  leader: "",
  memberId,
  members: [],
}));

refuses(initProducerId, (_, errorCode) => ({
  errorCode,
  producerId: NO_PRODUCER,
  producerEpoch: NO_PRODUCER_EPOCH,
}));

refuses(addPartitionsToTxn, ({ v3AndBelowTopics }, partitionErrorCode) => ({
  resultsByTopicV3AndBelow: v3AndBelowTopics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode })),
  })),
}));

refuses(describeGroups, ({ groups }, errorCode) => ({
  groups: groups.map((groupId) => ({
    errorCode,
    groupId,
    groupState: "",
    protocolType: "",
    protocolData: "",
    members: [],
  })),
}));

refuses(deleteGroups, ({ groupsNames }, errorCode) => ({
  results: groupsNames.map((groupId) => ({ groupId, errorCode })),
}));

refuses(describeTransactions, ({ transactionalIds }, errorCode) => ({
  transactionStates: transactionalIds.map((transactionalId) => ({
    errorCode,
    transactionalId,
    transactionState: "",
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  })),
}));

refuses(createTopics, ({ topics }, errorCode) => ({
  topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
}));

refuses(deleteTopics, ({ topicNames, topics }, errorCode, apiVersion) => ({
  responses:
    apiVersion >= 6
      ? topics.map(({ name, topicId }) => ({ name, topicId, errorCode }))
      : topicNames.map((name) => ({ name, errorCode })),
}));

refuses(createPartitions, ({ topics }, errorCode) => ({
  results: topics.map(({ name }) => ({ name, errorCode })),
}));

refuses(deleteRecords, ({ topics }, errorCode) => ({
  topics: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
  })),
}));

refuses(offsetForLeaderEpoch, ({ topics }, errorCode) => ({
  topics: topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
  })),
}));

refuses(describeConfigs, ({ resources }, errorCode) => ({
  results: resources.map(({ resourceType, resourceName }) => ({
    errorCode,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: [],
  })),
}));

const altered = (
  { resources }: { readonly resources: readonly { resourceType: number; resourceName: string }[] },
  errorCode: number,
) => ({
  responses: resources.map(({ resourceType, resourceName }) => ({
    errorCode,
    errorMessage: null,
    resourceType,
    resourceName,
  })),
});
refuses(alterConfigs, altered);
refuses(incrementalAlterConfigs, altered);

refuses(describeProducers, ({ topics }, errorCode) => ({
  topics: topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      errorCode,
      activeProducers: [],
    })),
  })),
}));

refuses(describeTopicPartitions, ({ topics }, errorCode) => ({
  topics: topics.map(({ name }) => ({ errorCode, name, topicId: ZERO_UUID, partitions: [] })),
}));
