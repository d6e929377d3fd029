"""Drives confluent-kafka."""

import threading
import uuid

import confluent_kafka
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)
from driver import BROKERS, Member, serve


def done(futures):
    return [future.result(timeout=30) for future in futures.values()]


def as_read(message):
    def text(value):
        return None if value is None else value.decode()

    return {
        "partition": message.partition(),
        "offset": message.offset(),
        "key": text(message.key()),
        "value": text(message.value()),
        "headers": {name: value.decode() for name, value in message.headers() or []},
        "timestamp": message.timestamp()[1],
    }


class Commands:
    def __init__(self):
        self.admin = AdminClient({"bootstrap.servers": BROKERS})
        self.member = None
        self.producers = {}
        self.open = set()

    # Overridden by what wraps this library.
    def new_producer(self, **settings):
        return Producer({"bootstrap.servers": BROKERS, "linger.ms": 100, **names(settings)})

    def new_consumer(self, group, **settings):
        return Consumer(
            {
                "bootstrap.servers": BROKERS,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 500,
                "fetch.wait.max.ms": 100,
                **names(settings),
            }
        )

    def about(self):
        version = confluent_kafka.version()
        core = confluent_kafka.libversion()[0]
        return {"version": f"{version if isinstance(version, str) else version[0]}, librdkafka {core}"}

    def create(self, topic, partitions, configs):
        done(self.admin.create_topics([NewTopic(topic, partitions, 1, config=configs)]))

    def partitions(self, topic):
        return len(self.admin.list_topics(topic, timeout=10).topics[topic].partitions)

    def configs(self, topic):
        [found] = done(self.admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]))
        return {name: entry.value for name, entry in found.items()}

    def alter(self, topic, configs):
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in configs.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        done(self.admin.incremental_alter_configs([resource]))

    def grow(self, topic, partitions):
        done(self.admin.create_partitions([NewPartitions(topic, partitions)]))

    def delete(self, topic):
        done(self.admin.delete_topics([topic]))

    def topics(self):
        return list(self.admin.list_topics(timeout=10).topics)

    def produce(self, topic, codec, records):
        producer = self.new_producer(compression_type=codec, enable_idempotence=True)
        failures = []
        for record in records:
            producer.produce(
                topic,
                value=record["value"],
                key=record["key"],
                partition=record["partition"],
                headers=record["headers"],
                timestamp=record["timestamp"],
                on_delivery=lambda error, _message: failures.append(str(error)) if error else None,
            )
        producer.flush(30)
        if failures:
            raise RuntimeError(failures[0])

    def read(self, topic, partitions, isolation, count):
        consumer = self.new_consumer(
            f"python-read-{uuid.uuid4()}", isolation_level=isolation, enable_auto_commit=False
        )
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        found = []
        while len(found) < count:
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            found.append(as_read(message))
        consumer.close()
        return found

    def offsetAt(self, topic, partition, timestamp):
        consumer = self.new_consumer("python-times")
        [found] = consumer.offsets_for_times([TopicPartition(topic, partition, timestamp)], timeout=10)
        consumer.close()
        return found.offset

    def join(self, group, topic):
        self.member = Member()
        consumer = self.new_consumer(group, auto_commit_interval_ms=100)
        threading.Thread(target=self._run, args=(consumer, topic, self.member), daemon=True).start()

    def took(self, consumer, message):
        """What has to be done for a record to count as read."""

    def _run(self, consumer, topic, member):
        consumer.subscribe([topic])
        while not member.stop.is_set():
            message = consumer.poll(0.2)
            member.assigned = [one.partition for one in consumer.assignment()]
            if message is not None and not message.error():
                member.values.append(message.value().decode())
                self.took(consumer, message)
        consumer.close()
        member.ended.set()

    def seen(self):
        return {"values": self.member.values, "assigned": self.member.assigned}

    def leave(self):
        self.member.stop.set()
        self.member.ended.wait(20)

    def begin(self, producer, transactionalId):
        made = self.new_producer(transactional_id=transactionalId)
        made.init_transactions(20)
        self.producers[producer] = made

    def transact(self, producer, topic, values, end):
        made = self.producers[producer]
        if producer not in self.open:
            made.begin_transaction()
            self.open.add(producer)
        for value in values:
            made.produce(topic, value=value, partition=0)
        made.flush(20)
        if end == "none":
            return
        self.open.discard(producer)
        if end == "commit":
            made.commit_transaction(20)
        else:
            made.abort_transaction(20)

    def copy(self, transactionalId, group, to, count, end, **source):
        producer = self.new_producer(transactional_id=transactionalId)
        producer.init_transactions(20)
        consumer = self.new_consumer(group, enable_auto_commit=False)
        consumer.subscribe([source["from"]])
        producer.begin_transaction()
        copied = 0
        while copied < count:
            message = consumer.poll(1)
            if message is None or message.error():
                continue
            producer.produce(to, value=message.value().upper())
            copied += 1
        positions = consumer.position(consumer.assignment())
        producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 20)
        if end == "commit":
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)
        consumer.close()


def names(settings):
    return {name.replace("_", "."): value for name, value in settings.items()}


if __name__ == "__main__":
    serve(Commands())
