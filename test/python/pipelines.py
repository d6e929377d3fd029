"""The three pipelines as quixstreams programs: `python pipelines.py alert | alert-count | average-temperature`.

The windows are quixstreams' own: they move with the records, so an alert count stays as it is when the alerts stop.
"""

import sys
from datetime import datetime, timedelta, timezone

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Mean

from settings import ALERT, ALERT_ABOVE_KELVIN, BROKERS, GROUP_PREFIX, GUARANTEE, KPI, SENSOR, SESSION_TIMEOUT_MS, STATE_DIR


def application(name):
    return Application(
        broker_address=BROKERS,
        consumer_group=f"{GROUP_PREFIX}-{name}",
        auto_offset_reset="earliest",
        commit_interval=1.0,
        consumer_extra_config={"session.timeout.ms": SESSION_TIMEOUT_MS},
        processing_guarantee=GUARANTEE,
        state_dir=f"{STATE_DIR}/{name}",
    )


def alert(app):
    """sensor ─► alert: in three units, and only what is too hot."""

    def in_three_units(reading):
        celsius = reading["temperature"]
        return {
            "celsius": celsius,
            "fahrenheit": round(celsius * 9 / 5 + 32, 2),
            "kelvin": round(celsius + 273.15, 2),
            "device_id": reading["device_id"],
            "timestamp": reading["timestamp"],
        }

    frame = app.dataframe(app.topic(SENSOR, value_deserializer="json"))
    frame = frame.apply(in_three_units)
    frame = frame.filter(lambda reading: reading["kelvin"] > ALERT_ABOVE_KELVIN)
    frame = frame.update(lambda reading: print(f"Too hot: {reading}", flush=True))
    frame.to_topic(app.topic(ALERT, value_serializer="json"), key=lambda reading: reading["device_id"])


def alert_count(app):
    """alert ─► kpi: how many in each 5 s, told when the 5 s are over."""
    frame = app.dataframe(app.topic(ALERT, value_deserializer="json"))
    frame = frame.tumbling_window(timedelta(seconds=5)).agg(value=Count()).final()
    tell(app, frame, "alert_count", "alerts", 5)


def average_temperature(app):
    """sensor ─► kpi: the mean of the last 10 s, each second, emitted again with every reading."""

    def celsius(reading):
        return reading["temperature"]

    frame = app.dataframe(app.topic(SENSOR, value_deserializer="json"))
    frame = frame.apply(celsius)
    frame = frame.hopping_window(timedelta(seconds=10), timedelta(seconds=1)).agg(value=Mean()).current()
    tell(app, frame, "average_temperature", "celsius", 10)


def tell(app, frame, name, unit, seconds):
    def kpi(window, key, _timestamp, _headers):
        return {
            "name": name,
            "device_id": text(key),
            "value": round(window["value"], 2),
            "unit": unit,
            "window_seconds": seconds,
            "window_start": utc(window["start"]),
            "window_end": utc(window["end"]),
        }

    frame = frame.apply(kpi, metadata=True)
    frame.to_topic(app.topic(KPI, value_serializer="json"))


def text(key):
    return key.decode() if isinstance(key, bytes) else key


def utc(milliseconds):
    instant = datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


PIPELINES = {"alert": alert, "alert-count": alert_count, "average-temperature": average_temperature}

if __name__ == "__main__":
    pipeline = sys.argv[1]
    app = application(pipeline)
    PIPELINES[pipeline](app)
    app.run()
