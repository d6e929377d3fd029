"""A small dashboard: `streamlit run dashboard.py`. A quixstreams consumer reads what our services write."""

import json
from collections import deque
from datetime import datetime

import pandas as pd
import streamlit as st
from quixstreams import Application

from settings import ALERT, BROKERS, GROUP_PREFIX, KPI, SENSOR

st.set_page_config(page_title="Sensors, in Python", layout="wide")
st.title("Sensors, in Python")


@st.cache_resource
def application():
    return Application(
        broker_address=BROKERS,
        consumer_group=f"{GROUP_PREFIX}-dashboard",
        auto_offset_reset="latest",
    )


readings = st.session_state.setdefault("readings", deque(maxlen=100))
alerts = st.session_state.setdefault("alerts", deque(maxlen=10))
kpis = st.session_state.setdefault("kpis", {})

device_tile, count_tile, mean_tile = st.columns(3)
reading_place, count_place, mean_place = device_tile.empty(), count_tile.empty(), mean_tile.empty()
chart_place = st.empty()
alerts_place = st.empty()


def show(topic, value):
    if topic == SENSOR:
        before = readings[-1]["temperature"] if readings else value["temperature"]
        readings.append({"time": datetime.now(), "temperature": value["temperature"]})
        change = f"{value['temperature'] - before:.2f} °C"
        reading_place.metric(value["device_id"], f"{value['temperature']:.2f} °C", change)
        chart_place.line_chart(pd.DataFrame(readings).set_index("time"))
    elif topic == ALERT:
        alerts.appendleft(f"{value['timestamp']} {value['device_id']}: {value['celsius']:.2f} °C")
        alerts_place.error("\n\n".join(alerts))
    elif topic == KPI:
        kpis[value["name"]] = value["value"]
        count_place.metric("Alerts in the last 5 s", kpis.get("alert_count", "–"))
        mean_place.metric("Average of the last 10 s", f"{kpis.get('average_temperature') or float('nan'):.2f} °C")


def main():
    with application().get_consumer() as consumer:
        consumer.subscribe([SENSOR, ALERT, KPI])
        while True:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                show(message.topic(), json.loads(message.value()))
                consumer.store_offsets(message)


main()
