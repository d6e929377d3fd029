/** A broker that speaks Kafka's wire protocol, in this process, in memory or in a folder: for development, demos and tests. */
export { type Broker, type BrokerOptions, type CoordinatedKey, startBroker } from "./broker.ts";
export { BrokerStoppedError, NoSuchBrokerError, NoSuchPartitionError } from "./broker-errors.ts";
export { InvalidConfigError } from "./cluster/config-store.ts";
export type { TransactionState } from "./coord/transaction-states.ts";
export type { AddedRule, FaultEvent, Faults } from "./faults/faults.ts";
export {
  type FaultAction,
  type FaultMatch,
  type FaultMoment,
  type FaultRule,
  FaultRuleError,
  type FaultScript,
} from "./faults/rule.ts";
export type {
  ConnectionInfo,
  GroupInfo,
  InspectedRecord,
  NodeInfo,
  PartitionInfo,
  TopicInfo,
  TransactionInfo,
} from "./inspection.ts";
export type { Log } from "./log-port.ts";
export { errorCode } from "./protocol/error-codes.ts";
export type { RecordHeader, StoredRecord } from "./records/record.ts";
export { ListenError, PortInUseError } from "./server/listeners.ts";
export { DataFolderError, StorageError } from "./storage/errors.ts";
export type { Clock, Timer } from "./time/clock.ts";
export { VirtualClock } from "./time/virtual-clock.ts";
