/** The producer: paces the devices, or the replay, and publishes each reading to `sensor`. */
import { renamed, type SensorReading, sensorTopic, utc } from "@kelvin/schema";
import { kafkaConnection, type RunningService, runService, type ServiceContext } from "@kelvin/service-kit";
import { createPublisher, type Publisher } from "@kelvin/streams";
import { deviceNames, machineOf, replayOf, Settings } from "./config.ts";
import { Outbox } from "./outbox.ts";
import { type Due, pace, simulatedReadings } from "./pace.ts";
import { badRowReporter, LongWaits, replayReadings } from "./replay.ts";

/** Of the time a stop may take, the share in which readings are still sent; less where Kafka is away anyhow. */
const SENDING_SHARE = 0.6;
const SENDING_MS_WHILE_AWAY = 2000;
const DISCONNECT_MS = 1000;

await runService({ name: "producer", defaultPort: 3001, settings: Settings, start });

async function start(context: ServiceContext<Settings>): Promise<RunningService> {
  const { settings, log, metrics, clock, stopping } = context;
  const topic = renamed(sensorTopic, settings.SENSOR_TOPIC);
  const kafka = kafkaConnection(settings, "kelvin-producer");

  // Devices don't wait for Kafka: until it is there, their readings wait in the outbox.
  let publisher: Publisher<SensorReading> | undefined;
  const connecting = createPublisher({ kafka, topic, log, clock, metrics }).then((made) => {
    publisher = made;
    return made;
  });
  const countDropped = (by: number): void =>
    metrics.count("kelvin_readings_dropped_total", "Readings dropped while Kafka was unreachable.", {}, by);
  const outbox = new Outbox<SensorReading>({
    send: async (reading) => (await connecting).send(reading),
    capacity: settings.BUFFER_READINGS,
    clock,
    log,
    onDropped: countDropped,
  });
  countDropped(0);
  const longWaits = new LongWaits(log);
  const pacing = pace(readings(context, longWaits), clock, stopping, (reading) => outbox.offer(reading));
  const broken = Promise.all([pacing, connecting]).then(() => outbox.failed);

  return {
    ready() {
      if (publisher === undefined)
        return { ok: false, why: `no connection to Kafka at ${kafka.brokers.join(", ")} yet` };
      const { ready, why } = publisher.health();
      const counts = `${outbox.size} readings buffered, ${outbox.dropped} dropped`;
      // Ready nevertheless: nothing is broken, and the next reading is sent when it is due.
      return { ok: ready, why: [why, counts, longWaits.why(clock.now()) ?? []].flat().join("; ") };
    },
    failed: Promise.race([broken, outbox.failed]),
    finished: pacing.then(() => outbox.emptied()),
    async stop() {
      await pacing.catch(() => {});
      const isAway = publisher?.health().ready !== true;
      const sendingMs = settings.STOP_DEADLINE_MS * SENDING_SHARE;
      await outbox.emptied(
        AbortSignal.timeout(isAway ? Math.min(sendingMs, SENDING_MS_WHILE_AWAY) : sendingMs),
      );
      if (outbox.size > 0) log.warn({ readings: outbox.size }, "readings lost: Kafka did not accept them");
      outbox.close();
      await publisher?.close(DISCONNECT_MS);
    },
  };
}

function readings(
  { settings, log, metrics, clock }: ServiceContext<Settings>,
  longWaits: LongWaits,
): AsyncIterable<Due> | Iterable<Due> {
  const replay = replayOf(settings);
  if (replay !== undefined) {
    log.info({ ...replay }, "replaying real readings");
    const onBadRow = badRowReporter(log, () =>
      metrics.count("kelvin_replay_rows_skipped_total", "Invalid rows, skipped."),
    );
    return replayReadings(replay, () => clock.now(), {
      onBadRow,
      onLongWait: (wait) => longWaits.begin(wait),
    });
  }
  const simulation = {
    machine: machineOf(settings),
    devices: deviceNames(settings.DEVICES),
    intervalMs: settings.INTERVAL_MS,
  };
  log.info(
    { devices: settings.DEVICES, intervalMs: settings.INTERVAL_MS, ...simulation.machine },
    "simulating devices",
  );
  return simulatedReadings(
    simulation,
    () => clock.now(),
    utc,
    (byMs) => {
      log.warn(
        { byMs: Math.round(byMs) },
        "the clock jumped, or the machine slept; continuing from the current time",
      );
    },
  );
}
