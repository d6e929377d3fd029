"""Drives kafka-python."""

import threading
import traceback

import kafka
from driver import BROKERS, Member, serve
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.structs import OffsetAndMetadata

SERVERS = BROKERS.split(",")


def text(value):
    return None if value is None else value.decode()


class Commands:
    def __init__(self):
        self.admin = KafkaAdminClient(bootstrap_servers=SERVERS)
        self.member = None
        self.producers = {}
        self.open = set()

    def about(self):
        return {"version": kafka.__version__}

    def create(self, topic, partitions, configs):
        self.admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])

    def partitions(self, topic):
        [found] = self.admin.describe_topics([topic])
        return len(found["partitions"])

    def configs(self, topic):
        found = self.admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
        return {name: config["value"] for name, config in found["topic"][topic].items()}

    def alter(self, topic, configs):
        self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)])

    def grow(self, topic, partitions):
        self.admin.create_partitions({topic: NewPartitions(partitions)})

    def delete(self, topic):
        self.admin.delete_topics([topic])

    def topics(self):
        return list(self.admin.list_topics())

    def produce(self, topic, codec, records):
        producer = KafkaProducer(
            bootstrap_servers=SERVERS,
            compression_type=None if codec == "none" else codec,
            linger_ms=100,
            enable_idempotence=True,
        )
        sent = [
            producer.send(
                topic,
                value=None if record["value"] is None else record["value"].encode(),
                key=None if record["key"] is None else record["key"].encode(),
                partition=record["partition"],
                headers=[(name, value.encode()) for name, value in record["headers"].items()],
                timestamp_ms=record["timestamp"],
            )
            for record in records
        ]
        producer.flush()
        for future in sent:
            future.get(timeout=30)
        producer.close()

    def _consumer(self, group, **settings):
        return KafkaConsumer(
            bootstrap_servers=SERVERS,
            group_id=group,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
            **settings,
        )

    @staticmethod
    def _subscribe(consumer, topic):
        """Subscribes when the topic's partitions are known.

        Version 3.0.12 can lose itself otherwise: the leader that joined without knowing them joins again when they come;
        if poll() ends meanwhile, nothing asks for that join any more (need_rejoin compares the new partitions with
        themselves), so its heartbeats stay off and the group continues without it, unnoticed.
        """
        consumer.subscribe([topic])
        while not consumer.partitions_for_topic(topic):
            pass

    def read(self, topic, partitions, isolation, count):
        consumer = self._consumer(None, isolation_level=isolation, enable_auto_commit=False)
        assigned = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(assigned)
        consumer.seek_to_beginning(*assigned)
        found = []
        while len(found) < count:
            for records in consumer.poll(timeout_ms=1000).values():
                found += [
                    {
                        "partition": record.partition,
                        "offset": record.offset,
                        "key": text(record.key),
                        "value": text(record.value),
                        "headers": {name: value.decode() for name, value in record.headers},
                        "timestamp": record.timestamp,
                    }
                    for record in records
                ]
        consumer.close()
        return found[:count]

    def offsetAt(self, topic, partition, timestamp):
        consumer = self._consumer(None)
        where = TopicPartition(topic, partition)
        found = consumer.offsets_for_times({where: timestamp})[where]
        consumer.close()
        return -1 if found is None else found.offset

    def join(self, group, topic):
        self.member = Member()
        consumer = self._consumer(
            group, session_timeout_ms=6000, heartbeat_interval_ms=500, auto_commit_interval_ms=100
        )
        threading.Thread(target=self._run, args=(consumer, topic, self.member), daemon=True).start()

    @staticmethod
    def _run(consumer, topic, member):
        try:
            Commands._subscribe(consumer, topic)
            while not member.stop.is_set():
                for records in consumer.poll(timeout_ms=200).values():
                    member.values += [record.value.decode() for record in records]
                member.assigned = [one.partition for one in consumer.assignment()]
            consumer.close()
        except Exception as error:
            traceback.print_exc()
            member.error = error
        member.ended.set()

    def seen(self):
        if self.member.error is not None:
            raise self.member.error
        return {"values": self.member.values, "assigned": self.member.assigned}

    def leave(self):
        self.member.stop.set()
        self.member.ended.wait(20)

    def begin(self, producer, transactionalId):
        made = KafkaProducer(bootstrap_servers=SERVERS, transactional_id=transactionalId)
        made.init_transactions()
        self.producers[producer] = made

    def transact(self, producer, topic, values, end):
        made = self.producers[producer]
        if producer not in self.open:
            made.begin_transaction()
            self.open.add(producer)
        sent = [made.send(topic, value=value.encode(), partition=0) for value in values]
        made.flush()
        for future in sent:
            future.get(timeout=20)
        if end == "none":
            return
        self.open.discard(producer)
        if end == "commit":
            made.commit_transaction()
        else:
            made.abort_transaction()

    def copy(self, transactionalId, group, to, count, end, **source):
        producer = KafkaProducer(bootstrap_servers=SERVERS, transactional_id=transactionalId)
        producer.init_transactions()
        consumer = self._consumer(group, enable_auto_commit=False)
        self._subscribe(consumer, source["from"])
        producer.begin_transaction()
        copied, positions = 0, {}
        while copied < count:
            for where, records in consumer.poll(timeout_ms=1000).items():
                for record in records:
                    producer.send(to, value=record.value.upper())
                    positions[where] = OffsetAndMetadata(record.offset + 1, "", -1)
                    copied += 1
        producer.send_offsets_to_transaction(positions, consumer.group_metadata())
        if end == "commit":
            producer.commit_transaction()
        else:
            producer.abort_transaction()
        consumer.close()
        producer.close()


if __name__ == "__main__":
    serve(Commands())
