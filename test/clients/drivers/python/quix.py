"""Drives quixstreams by its own producer, consumer, topics and pipelines; admin beyond that is confluent-kafka's."""

import logging
import tempfile

import quixstreams
from driver import BROKERS, serve
from librdkafka import Commands, names
from quixstreams import Application
from quixstreams.models import TopicConfig

logging.disable(logging.ERROR)


def application(group, **settings):
    return Application(
        broker_address=BROKERS,
        consumer_group=group,
        auto_offset_reset="earliest",
        loglevel=None,
        state_dir=tempfile.mkdtemp(prefix="quix-"),
        **settings,
    )


class QuixCommands(Commands):
    def new_producer(self, **settings):
        return application("quix", producer_extra_config={"linger.ms": 100, **names(settings)}).get_producer()

    def new_consumer(self, group, **settings):
        extra = {
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 500,
            "fetch.wait.max.ms": 100,
            **names(settings),
        }
        auto_commit = extra.pop("enable.auto.commit", True)
        return application(group, consumer_extra_config=extra).get_consumer(auto_commit_enable=auto_commit)

    def about(self):
        return {"version": f"{quixstreams.__version__}, librdkafka {super().about()['version'].split()[-1]}"}

    def create(self, topic, partitions, configs):
        config = TopicConfig(num_partitions=partitions, replication_factor=1, extra_config=configs)
        application("quix").topic(topic, config=config)

    def produce(self, topic, codec, records):
        failures = []
        with self.new_producer(compression_type=codec, enable_idempotence=True) as producer:
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
        if failures:
            raise RuntimeError(failures[0])

    def took(self, consumer, message):
        consumer.store_offsets(message)

    def copy(self, transactionalId, group, to, count, end, **source):
        app = application(group, processing_guarantee="exactly-once", commit_interval=0.5)
        rows = app.dataframe(app.topic(source["from"], value_deserializer="str"))
        rows.apply(str.upper).to_topic(app.topic(to, value_serializer="str"))
        app.run(count=count, timeout=30)


if __name__ == "__main__":
    serve(QuixCommands())
