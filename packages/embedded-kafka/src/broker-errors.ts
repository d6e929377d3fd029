/** Mistakes in the use of a running broker's own interface. */

export class NoSuchBrokerError extends Error {
  override readonly name = "NoSuchBrokerError";
  readonly code = "BROKER_NO_SUCH_BROKER";
  readonly brokerId: number;

  constructor(brokerId: number, known: readonly number[]) {
    super(`there is no broker ${brokerId}: the ids are ${known.join(", ")} (startBroker's option "brokers")`);
    this.brokerId = brokerId;
  }
}

/** A stopped broker can neither lead nor coordinate. */
export class BrokerStoppedError extends Error {
  override readonly name = "BrokerStoppedError";
  readonly code = "BROKER_STOPPED";
  readonly brokerId: number;

  constructor(brokerId: number) {
    super(`broker ${brokerId} is stopped: start it first, with startBroker(${brokerId})`);
    this.brokerId = brokerId;
  }
}

/** A test asked about a partition that is not there. */
export class NoSuchPartitionError extends Error {
  override readonly name = "NoSuchPartitionError";
  readonly code = "BROKER_NO_SUCH_PARTITION";
  readonly topic: string;
  readonly partition: number;

  constructor(topic: string, partition: number) {
    super(`there is no partition ${partition} of topic "${topic}": create the topic first`);
    this.topic = topic;
    this.partition = partition;
  }
}
