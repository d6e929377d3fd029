/** Being a process: settings, log, health, metrics, stop. Knows no topic and no Kafka client. */
export type { AdminHandler, Health } from "./admin.ts";
export { type Cancel, type Clock, systemClock } from "./clock.ts";
export {
  ListenError,
  PortBusyError,
  reasonOf,
  SettingsError,
  StartError,
  StopDeadlineError,
} from "./errors.ts";
export { type KafkaConnection, type KafkaSettings, kafkaConnection, kafkaSettings } from "./kafka.ts";
export { type Listening, type ListenOptions, listen } from "./listen.ts";
export { createLog, type Log, type LogLevel, type LogOptions } from "./log.ts";
export { createMetrics, type Labels, type Metrics, type MetricsRegistry } from "./metrics.ts";
export { SERVICE_NODE_OPTIONS } from "./node-options.ts";
export { CHECK_SETTINGS, SUPERVISED, ToService, ToSupervisor, tellSupervisor } from "./parent.ts";
export {
  type CommonSettings,
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceOptions,
} from "./service.ts";
export { decimal, type Environment, flag, integer, list, port, readSettings } from "./settings.ts";
export { watchStopRequests } from "./stop-requests.ts";
export { distinctTopics, topicName } from "./topic-names.ts";
