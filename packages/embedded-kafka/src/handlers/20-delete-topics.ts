/** DeleteTopics, versions 1 to 6; in 6 by name or by id (KIP-516). */
import { errorCode } from "../protocol/error-codes.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { ZERO_UUID } from "../protocol/schema.ts";
import { handler, type RequestContext } from "./handler.ts";

export const deleteTopicsHandler = handler(deleteTopics, (context, request) => ({
  responses:
    context.apiVersion < 6
      ? request.topicNames.map((name) => remove(context, name, ZERO_UUID))
      : request.topics.map(({ name, topicId }) => remove(context, name, topicId)),
}));

function remove(context: RequestContext, name: string | null, topicId: string) {
  const { cluster, log, client } = context;
  if ((name === null) === (topicId === ZERO_UUID)) {
    return {
      name,
      topicId,
      errorCode: errorCode.invalidRequest,
      errorMessage: "Give a name or an id, not both.",
    };
  }
  if (!cluster.configs.brokerFlag("delete.topic.enable")) {
    return {
      name,
      topicId,
      errorCode: errorCode.topicDeletionDisabled,
      errorMessage: "Topic deletion is disabled.",
    };
  }
  const topic = name === null ? cluster.topicById(topicId) : cluster.topic(name);
  if (topic === undefined) {
    const code = name === null ? errorCode.unknownTopicId : errorCode.unknownTopicOrPartition;
    return { name, topicId, errorCode: code, errorMessage: "This server does not host this topic." };
  }
  cluster.deleteTopic(topic.name);
  log.info({ topic: topic.name, clientId: client.clientId }, "topic deleted");
  return { name: topic.name, topicId: topic.id, errorCode: errorCode.none };
}
