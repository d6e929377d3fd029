/** For tests: a Kafka, services as processes, a topic followed by a bare client, Chromium, conditions. Knows no topic. */
export { axeViolations } from "./axe.ts";
export { isChromiumMissing, launchChromium } from "./chromium.ts";
export { brokersFromEnvironment, type KafkaForTests, kafkaForTests } from "./kafka.ts";
export {
  type RunningService,
  type ServiceEnd,
  ServiceEndedError,
  type ServiceOptions,
  startService,
} from "./service.ts";
export { followTopic, type LoggedRecord, type TopicLog } from "./topic-log.ts";
export { createTopics } from "./topics.ts";
export { uniqueName } from "./unique-name.ts";
export { type WaitOptions, WaitTimeoutError, waitFor } from "./wait-for.ts";
