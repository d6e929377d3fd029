/** Everything the dashboard knows at this moment. Fed with records, read by whoever tells the pages. */
import type { Alert, Kpi, SensorReading } from "@kelvin/schema";
import { type Health, type KpiTile, PIPELINES, type PipelineName, type Rejected } from "@kelvin/schema/live";
import type { Clock } from "@kelvin/service-kit";
import { type DeviceLimits, Devices, type Position } from "./devices.ts";
import { Episodes, NO_READINGS } from "./episodes.ts";
import { KpiTable } from "./kpis.ts";
import { type Look, Pipeline } from "./pipelines.ts";

/** Where a record lies, and when the thing it speaks of was. */
export interface RecordAt extends Position {
  readonly eventMs: number;
}

/** A record that does not fit its topic's schema. */
export interface RejectedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}

/** Who is told that something changed; what it is, is read from the state. */
export interface StateListener {
  deviceChanged(device: string): void;
  alertsChanged(): void;
  healthChanged(): void;
}

export type StateLimits = DeviceLimits;

const ENDED_EPISODES_MAX = 200;
/** A reason is for people to read, and may quote a record of any size. */
const REASON_LENGTH_MAX = 300;

export class LiveState {
  readonly devices: Devices;
  readonly #clock: Clock;
  readonly #kpis: KpiTable;
  readonly #episodes: Episodes;
  readonly #pipelines: readonly Pipeline[];
  readonly #listeners = new Set<StateListener>();
  #rejected: Rejected = { count: 0, last: null };
  #kafka: Health["kafka"] = { up: true, sinceMs: null, dataUpToMs: null };
  /** The newest event time of all readings, those from clocks ahead of ours aside; null before the first. */
  #newestEventMs: number | null = null;
  /** Alerts that came before the readings they belong to were read; undefined once all is there. */
  #early: { alert: Alert; at: RecordAt }[] | undefined = [];

  constructor(clock: Clock, limits: StateLimits) {
    this.#clock = clock;
    this.devices = new Devices(limits);
    this.#kpis = new KpiTable(limits.maxDevices);
    this.#episodes = new Episodes({ maxEnded: ENDED_EPISODES_MAX, maxActive: limits.maxDevices });
    this.#pipelines = PIPELINES.map(({ name }) => new Pipeline(name, clock.now()));
  }

  listen(listener: StateListener): void {
    this.#listeners.add(listener);
  }

  get episodes(): Episodes {
    return this.#episodes;
  }

  /** How well the flow is. */
  health(): Health {
    return {
      nowMs: this.#clock.now(),
      ready: this.isCaughtUp,
      kafka: this.#kafka,
      pipelines: this.#pipelines.map(({ health }) => health),
      rejected: this.#rejected,
      devicesDropped: this.devices.dropped,
    };
  }

  /** False until `catchUpDone`. */
  get isCaughtUp(): boolean {
    return this.#early === undefined;
  }

  reading(reading: SensorReading, at: RecordAt): void {
    const nowMs = this.#clock.now();
    const { eventMs, partition, offset } = at;
    const heardMs = this.#heardMs(eventMs);
    this.devices.hear(reading.device_id, {
      celsius: reading.temperature,
      eventMs,
      heardMs,
      partition,
      offset,
    });
    if (eventMs <= nowMs) this.#newestEventMs = Math.max(this.#newestEventMs ?? eventMs, eventMs);
    this.#episodes.reading(reading.device_id, at, nowMs);
    this.#tell((listener) => listener.deviceChanged(reading.device_id));
  }

  alert(alert: Alert, at: RecordAt): void {
    if (this.#early !== undefined) {
      this.#early.push({ alert, at });
      return;
    }
    this.#addAlert(alert, at);
    this.#tell((listener) => listener.alertsChanged());
  }

  kpi(kpi: Kpi, revision: number): void {
    const windowEndMs = Date.parse(kpi.window_end);
    const isNew = this.#kpis.put(kpi.device_id, {
      name: kpi.name,
      value: kpi.value,
      windowSeconds: kpi.window_seconds,
      windowEndMs,
      revision,
      heardMs: this.#heardMs(windowEndMs),
    });
    if (isNew) this.#tell((listener) => listener.deviceChanged(kpi.device_id));
  }

  reject({ topic, partition, offset, reason }: RejectedRecord): void {
    this.#rejected = {
      count: this.#rejected.count + 1,
      last: {
        topic,
        partition,
        offset: String(offset),
        reason: reason.length > REASON_LENGTH_MAX ? `${reason.slice(0, REASON_LENGTH_MAX)}…` : reason,
        atMs: this.#clock.now(),
      },
    };
    this.#tell((listener) => listener.healthChanged());
  }

  /** All that was in the topics at the start has been read. */
  catchUpDone(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const { alert, at } of early.toSorted((a, b) => a.at.eventMs - b.at.eventMs))
      this.#addAlert(alert, at);
    this.#tell((listener) => listener.alertsChanged());
    this.#tell((listener) => listener.healthChanged());
  }

  /** @param sinceMs since when the broker can't be reached; undefined: it can */
  kafkaSeen(sinceMs: number | undefined): void {
    if (this.#kafka.up === (sinceMs === undefined)) return;
    this.#kafka =
      sinceMs === undefined
        ? { up: true, sinceMs: null, dataUpToMs: null }
        : { up: false, sinceMs, dataUpToMs: this.#newestEventMs };
    this.#tell((listener) => listener.healthChanged());
  }

  /** Takes in a look at a pipeline; undefined: Kafka could not be asked. */
  pipelineSeen(name: PipelineName, look: Look | undefined): void {
    const pipeline = this.#pipelines.find((one) => one.name === name);
    if (pipeline === undefined) return;
    const nowMs = this.#clock.now();
    const changed = look === undefined ? pipeline.lose(nowMs) : pipeline.observe(nowMs, look);
    if (changed) {
      this.#tell((listener) => listener.healthChanged());
      for (const device of this.devices.all()) this.#tell((listener) => listener.deviceChanged(device.id));
    }
    if (name === "alert" && this.isCaughtUp) {
      this.#episodes.settle((position) => pipeline.hasPassed(position));
      if (this.#episodes.hasChanges()) this.#tell((listener) => listener.alertsChanged());
    }
  }

  tiles(device: string): KpiTile[] {
    const upToDate = new Set(
      this.#pipelines.filter(({ health }) => health.state === "up-to-date").map(({ name }) => name),
    );
    return this.#kpis.tiles(device, this.#clock.now(), (pipeline) => upToDate.has(pipeline));
  }

  #addAlert(alert: Alert, { eventMs }: RecordAt): void {
    const device = this.devices.get(alert.device_id);
    this.#episodes.alert(
      { device: alert.device_id, eventMs, celsius: alert.celsius },
      device === undefined
        ? NO_READINGS
        : { earliestBetween: (from, to) => device.ring.earliestBetween(from, to), last: device.last },
    );
  }

  /** While catching up, records are of the past: they came when they were written, not when they are read. */
  #heardMs(eventMs: number): number {
    const nowMs = this.#clock.now();
    return this.isCaughtUp ? nowMs : Math.min(nowMs, eventMs);
  }

  #tell(what: (listener: StateListener) => void): void {
    for (const listener of this.#listeners) what(listener);
  }
}
