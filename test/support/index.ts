export { brokersFromEnvironment, type KafkaForTests, kafkaForTests } from "./kafka.ts";
export {
  type RunningService,
  type ServiceEnd,
  ServiceEndedError,
  type ServiceOptions,
  startService,
} from "./service.ts";
export { uniqueName } from "./unique-name.ts";
export { type WaitOptions, WaitTimeoutError, waitFor } from "./wait-for.ts";
