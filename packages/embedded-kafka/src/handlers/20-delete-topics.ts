/** DeleteTopics, versions 1 to 6; in 6 by name or by id (KIP-516). What is named twice, in whatever way, stays. */
import type { Topic } from "../cluster/topic.ts";
import { errorCode } from "../protocol/error-codes.ts";
import { deleteTopics } from "../protocol/messages/delete-topics.ts";
import { type ResponseOf, ZERO_UUID } from "../protocol/schema.ts";
import { handler, type RequestContext } from "./handler.ts";

type Answer = ResponseOf<typeof deleteTopics>["responses"][number];

interface Wanted {
  readonly name: string | null;
  readonly topicId: string;
}

export const deleteTopicsHandler = handler(deleteTopics, (context, request) => {
  const asked: readonly Wanted[] =
    context.apiVersion < 6
      ? request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
      : request.topics;
  const alike = Map.groupBy(asked, ({ name, topicId }) => `${name} ${topicId}`);
  const byName = new Set(
    asked.map(({ name }) => (name === null ? undefined : context.cluster.topic(name)?.id)),
  );
  const byId = new Set(asked.flatMap(({ name, topicId }) => (name === null ? [topicId] : [])));
  return {
    responses: [...alike.values()].flatMap(([wanted, ...again]) => {
      if (wanted === undefined) return [];
      const problem = problemOf(wanted, again.length > 0);
      if (problem !== null) return [invalid(wanted, problem)];
      if (wanted.name === null) {
        // Its name is answered.
        return byName.has(wanted.topicId)
          ? []
          : [remove(context, wanted, context.cluster.topicById(wanted.topicId))];
      }
      const topic = context.cluster.topic(wanted.name);
      return topic !== undefined && byId.has(topic.id)
        ? [invalid({ ...wanted, topicId: topic.id }, "The topic of this name was given by its id as well.")]
        : [remove(context, wanted, topic)];
    }),
  };
});

function problemOf({ name, topicId }: Wanted, isRepeated: boolean): string | null {
  if (name === null && topicId === ZERO_UUID) return "Neither topic name nor id were specified.";
  if (name !== null && topicId !== ZERO_UUID) return "You may not specify both topic name and topic id.";
  if (!isRepeated) return null;
  return name === null ? "Duplicate topic id." : "Duplicate topic name.";
}

function invalid(wanted: Wanted, errorMessage: string): Answer {
  return { ...wanted, errorCode: errorCode.invalidRequest, errorMessage };
}

function remove({ cluster, log, client }: RequestContext, wanted: Wanted, topic: Topic | undefined): Answer {
  if (!cluster.configs.brokerFlag("delete.topic.enable")) {
    return {
      ...wanted,
      errorCode: errorCode.topicDeletionDisabled,
      errorMessage: "Topic deletion is disabled.",
    };
  }
  if (topic === undefined) {
    return wanted.name === null
      ? {
          ...wanted,
          errorCode: errorCode.unknownTopicId,
          errorMessage: "This server does not host this topic ID.",
        }
      : {
          ...wanted,
          errorCode: errorCode.unknownTopicOrPartition,
          errorMessage: "This server does not host this topic-partition.",
        };
  }
  cluster.deleteTopic(topic.name);
  log.info({ topic: topic.name, clientId: client.clientId }, "topic deleted");
  return { name: topic.name, topicId: topic.id, errorCode: errorCode.none };
}
