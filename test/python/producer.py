"""A machine that tells its temperature, as a quixstreams program."""

import math
import os
import random
import time
from datetime import datetime

from quixstreams import Application

from settings import BROKERS, SENSOR

DEVICE = os.environ.get("DEVICE_ID", "python-01")
BASE_CELSIUS = float(os.environ.get("BASE_CELSIUS", "27"))
INTERVAL_SECONDS = float(os.environ.get("INTERVAL_SECONDS", "1"))
# How many readings; 0 sends until it is stopped.
COUNT = int(os.environ.get("COUNT", "0"))


def reading(number):
    wave = 8 * math.sin(number / 9) + random.uniform(-1, 1)
    return {
        # Local time without an offset: whoever reads this can't know the instant, and takes the record's timestamp.
        "timestamp": datetime.now().isoformat(),
        "device_id": DEVICE,
        "temperature": round(BASE_CELSIUS + wave, 2),
    }


def main():
    app = Application(broker_address=BROKERS)
    topic = app.topic(SENSOR, value_serializer="json")
    with app.get_producer() as producer:
        number = 0
        while COUNT == 0 or number < COUNT:
            value = reading(number)
            message = topic.serialize(key=value["device_id"], value=value)
            producer.produce(topic=topic.name, key=message.key, value=message.value)
            number += 1
            time.sleep(INTERVAL_SECONDS)


if __name__ == "__main__":
    main()
