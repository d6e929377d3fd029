"""Reads topics with a quixstreams consumer and prints each record as a line of JSON: `python consumer.py sensor alert`."""

import json
import sys

from quixstreams import Application

from settings import BROKERS, GROUP_PREFIX


def main(topics):
    app = Application(
        broker_address=BROKERS,
        consumer_group=f"{GROUP_PREFIX}-consumer",
        auto_offset_reset="earliest",
        loglevel="WARNING",
    )
    with app.get_consumer() as consumer:
        consumer.subscribe(topics)
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                print(message.error(), file=sys.stderr, flush=True)
                continue
            line = {
                "topic": message.topic(),
                "partition": message.partition(),
                "offset": message.offset(),
                "timestamp": message.timestamp()[1],
                "key": message.key().decode() if message.key() else None,
                "headers": {name: value.decode() for name, value in message.headers() or []},
                "value": json.loads(message.value()),
            }
            print(json.dumps(line), flush=True)
            consumer.store_offsets(message)


if __name__ == "__main__":
    main(sys.argv[1:])
