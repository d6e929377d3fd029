"""Where Kafka is and what the topics are called: the same variables as our own services have."""

import os

BROKERS = os.environ.get("KAFKA_BROKERS", "localhost:9092")
GROUP_PREFIX = os.environ.get("GROUP_PREFIX", "python")
SENSOR = os.environ.get("SENSOR_TOPIC", "sensor")
ALERT = os.environ.get("ALERT_TOPIC", "alert")
KPI = os.environ.get("KPI_TOPIC", "kpi")
ALERT_ABOVE_KELVIN = float(os.environ.get("ALERT_ABOVE_KELVIN", "303"))
# Where quixstreams keeps the state of its windows.
STATE_DIR = os.environ.get("STATE_DIR", "state")
# After how much silence a member that was killed is given up, and its partitions go to another.
SESSION_TIMEOUT_MS = int(os.environ.get("SESSION_TIMEOUT_MS", "45000"))
# "exactly-once" makes quixstreams write in transactions.
GUARANTEE = os.environ.get("PROCESSING_GUARANTEE", "at-least-once")
