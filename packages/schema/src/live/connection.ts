/** How a page and its server meet, keep step and part. */
import type { KpiName } from "../flow.ts";
import {
  isDeviceId,
  isFlag,
  isKpiName,
  isNumber,
  isPosition,
  isText,
  list,
  oneOf,
  orNull,
  record,
} from "./guards.ts";

/** What holds for the whole connection: whom the page talks to, the rule, the KPIs, what to type. */
export interface Welcome {
  version: number;
  /** Another one than before: the server was restarted, or this is another instance. Positions start over. */
  boot: string;
  /** The server's clock at sending. */
  nowMs: number;
  /** The length of the chart unless a page asks for another, and of the lines beside listed devices: 100 s. */
  windowMs: number;
  /** The lengths that a chart may have, shortest first, `windowMs` among them: the server keeps as much. */
  spansMs: number[];
  /** The alert rule's limit; the page draws it as a line in its own unit. */
  limitKelvin: number;
  /** The topics' names as this server reads them. */
  topics: { sensor: string; alert: string; kpi: string };
  /** The KPIs there are, in the order of their tiles. */
  kpis: KpiDefinition[];
  /** A device is stale after `intervals` times its usual interval without a reading, but not before `atLeastMs`. */
  stale: { intervals: number; atLeastMs: number };
  commands: Commands;
}

/** What to type where a part of the system is not running, for this installation. */
export interface Commands {
  producer: string;
  processor: string;
  /** False: settings are missing that can't be told here, a password among them. */
  areWhole: boolean;
}

/** What a tile is labelled by. */
export interface KpiDefinition {
  name: KpiName;
  unit: "alerts" | "celsius";
  windowSeconds: number;
}

/** Whether this is a {@link Welcome}, of whatever version. */
export const isWelcome = record<Welcome>({
  version: isNumber,
  boot: isText,
  nowMs: isNumber,
  windowMs: isNumber,
  spansMs: list(isNumber),
  limitKelvin: isNumber,
  topics: record({ sensor: isText, alert: isText, kpi: isText }),
  kpis: list(
    record<KpiDefinition>({
      name: isKpiName,
      unit: oneOf<KpiDefinition["unit"]>("alerts", "celsius"),
      windowSeconds: isNumber,
    }),
  ),
  stale: record({ intervals: isNumber, atLeastMs: isNumber }),
  commands: record({ producer: isText, processor: isText, areWhole: isFlag }),
});

/** The socket's `auth` at connect, each time: so that the first answer already holds the watched device. */
export interface Handshake {
  /** A page of version 3 knows no `spanMs`: it has to come in to hear that it is outdated. */
  watch: Omit<Watch, "spanMs"> & Partial<Pick<Watch, "spanMs">>;
}

/** Which device a page shows, how much of it, and what it has. */
export interface Watch {
  /** null: the server chooses the worst; where it knows none yet, the first one heard. The snapshot says which. */
  device: string | null;
  /** What the page already has of that device; null: nothing. */
  have: { boot: string; next: number } | null;
  /** How far back the chart goes; null: `windowMs`. More than the longest of `spansMs` counts as that. */
  spanMs: number | null;
}

const watchFields = {
  device: orNull(isDeviceId),
  have: orNull(record({ boot: isText, next: isPosition })),
};
const isSpan = orNull(isPosition);

/** Whether this is a {@link Watch}, with a device that could be one. */
export const isWatch = record<Watch>({ ...watchFields, spanMs: isSpan });

const hasWatchFields = record<Omit<Watch, "spanMs">>(watchFields);

const isFirstWatch = (value: unknown): value is Handshake["watch"] =>
  hasWatchFields(value) && (!("spanMs" in value) || isSpan(value.spanMs));

/** Whether this is a {@link Handshake}; a token beside it is no fault. */
export const isHandshake = record<Handshake>({ watch: isFirstWatch });

/** May go along in the socket's `auth` if the server requires a token: a program's; a page has its cookie. */
export interface Credentials {
  token: string;
}

/** Whether there is a token, of whatever worth. */
export const isCredentials = record<Credentials>({ token: isText });

/** What a page has taken in; the server counts what is under way by it. */
export interface Ack {
  /** `nowMs` of the `fleet`. */
  fleetMs: number;
}

/** Whether this is an {@link Ack}. */
export const isAck = record<Ack>({ fleetMs: isNumber });

/** The last message on a connection that the server ends. */
export interface Goodbye {
  nowMs: number;
  /**
   * `too-slow`: 30 s behind. `bad-messages`: too many, or not of this contract. `closing`: the server ends. The page
   * connects again after each.
   */
  why: "too-slow" | "bad-messages" | "closing";
}

/** Whether this is a {@link Goodbye}. */
export const isGoodbye = record<Goodbye>({
  nowMs: isNumber,
  why: oneOf<Goodbye["why"]>("too-slow", "bad-messages", "closing"),
});
