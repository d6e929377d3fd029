export {
  ALERT_COUNT,
  AVERAGE_TEMPERATURE,
  alertsOf,
  expectedKpis,
  kpiTable,
  readingsOf,
  type TimedValue,
} from "./brute-force.ts";
export { brokersFromEnvironment, type KafkaForTests, kafkaForTests } from "./kafka.ts";
export {
  type RunningService,
  type ServiceEnd,
  ServiceEndedError,
  type ServiceOptions,
  startService,
} from "./service.ts";
export { followTopic, type LoggedRecord, type TopicLog } from "./topic-log.ts";
export { uniqueName } from "./unique-name.ts";
export { type WaitOptions, WaitTimeoutError, waitFor } from "./wait-for.ts";
