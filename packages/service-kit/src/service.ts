/** The life of a service's process: settings, start, health, end. Every service has the same, and none has its own. */
import * as z from "zod";
import { type AdminHandler, adminOnly, createAdminHandler, type Health, type HealthSource } from "./admin.ts";
import { type Clock, systemClock } from "./clock.ts";
import {
  ArgumentsError,
  isExplained,
  reasonOf,
  SettingsError,
  StartError,
  StopDeadlineError,
} from "./errors.ts";
import { type KafkaSettings, kafkaSettings } from "./kafka.ts";
import { type Listening, listen } from "./listen.ts";
import { createLog, type Log } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { CHECK_SETTINGS, SUPERVISED, tellSupervisor } from "./parent.ts";
import { integer, port, readSettings } from "./settings.ts";
import { watchStopRequests } from "./stop-requests.ts";

/** How often a starting service is asked whether it is ready by now. */
const READY_POLL_MS = 50;

function commonSettings(defaultPort: number) {
  return z.object({
    /** What is logged: this and what is worse. */
    LOG_LEVEL: z
      .enum(
        ["debug", "info", "warn", "error", "fatal", "silent"],
        "must be debug, info, warn, error, fatal or silent",
      )
      .default("info"),
    /** `auto`: for people in a terminal, JSON elsewhere. */
    LOG_FORMAT: z.enum(["auto", "json", "pretty"], "must be auto, json or pretty").default("auto"),
    /** The address to listen on; both loopbacks where unset. */
    HOST: z.string().optional(),
    /** Where the service answers over HTTP; 0 takes a free one. */
    PORT: port().default(defaultPort),
    /** How long an orderly stop may take before the process ends without it. Kafka calls it `close` timeout. */
    STOP_DEADLINE_MS: integer({ min: 0, max: 600_000 }).default(10_000),
  });
}

/** The settings that every service has: where it listens, how it logs, how long it may stop, which Kafka. */
export type CommonSettings = z.output<ReturnType<typeof commonSettings>> & KafkaSettings;

/** What a service is given to start with. */
export interface ServiceContext<S> {
  settings: S & CommonSettings;
  log: Log;
  metrics: Metrics;
  clock: Clock;
  /** Aborted when the service ends: asked to, also while it starts, or because it failed. */
  stopping: AbortSignal;
  /** For a service with an HTTP server of its own: answers `/healthz`, `/readyz` and `/metrics`, else returns false. */
  admin: AdminHandler;
}

/** What a started service answers for. */
export interface RunningService {
  /** Able to do its work now. */
  ready(): Health;
  /** Alive and making progress; alive by default. */
  live?(): Health;
  /** Rejects if the service can't continue: the process then exits with code 1. */
  failed?: Promise<unknown>;
  /** Resolves when there is nothing left to do: the process then stops in order, with code 0. */
  finished?: Promise<unknown>;
  /** The address for people, where the service has its own server. */
  url?: string;
  /** Ends in order: what was taken in is finished, nothing new begins. */
  stop(): Promise<void>;
}

/** What makes a service this one; all else is the kit's. */
export interface ServiceOptions<S extends object> {
  name: string;
  defaultPort: number;
  /** The service's own variables; the common ones and `KAFKA_*` are the kit's. */
  settings: z.ZodType<S>;
  /** True for a service with an HTTP server of its own on `PORT`, which then lets `admin` answer first. */
  ownServer?: boolean;
  start(context: ServiceContext<S>): Promise<RunningService>;
}

/**
 * Runs a service until it is asked to end, and ends the process: 0 after an orderly stop, 1 when the service failed
 * or did not stop in time, 2 when it could not start as asked (settings, options, a busy port).
 */
export async function runService<S extends object>(options: ServiceOptions<S>): Promise<never> {
  let settings: S & CommonSettings;
  try {
    const given = process.argv.slice(2);
    if (given.length > 0) throw new ArgumentsError(given);
    const common = commonSettings(options.defaultPort);
    settings = readSettings(process.env, z.intersection(common, kafkaSettings), options.settings);
  } catch (error) {
    return endAtStart(options.name, error);
  }
  if (process.env[CHECK_SETTINGS] === "1") process.exit(0);
  const log = createLog({
    name: options.name,
    level: settings.LOG_LEVEL,
    format: settings.LOG_FORMAT,
    hideName: process.env[SUPERVISED] === "1",
  });
  return new ServiceProcess(options, settings, log).run();
}

/** One run of a service. Its outcomes race: a request to stop, a failure, an exception that nobody caught. */
class ServiceProcess<S extends object> {
  readonly #options: ServiceOptions<S>;
  readonly #settings: S & CommonSettings;
  readonly #log: Log;
  readonly #asked: AbortSignal;
  readonly #ending = new AbortController();
  #running: RunningService | undefined;
  /** The failure that ended it. */
  #told: unknown;

  constructor(options: ServiceOptions<S>, settings: S & CommonSettings, log: Log) {
    this.#options = options;
    this.#settings = settings;
    this.#log = log;
    this.#asked = watchStopRequests((why) => {
      log.warn({ why }, "second stop request: exiting immediately");
      process.exit(1);
    });
  }

  async run(): Promise<never> {
    const uncaught = new Promise<never>((_, reject) => {
      const onUncaught = (error: unknown) => {
        reject(error);
        if (this.#asked.aborted) this.#log.error({ err: error }, "an error while stopping");
      };
      process.on("uncaughtException", onUncaught);
      process.on("unhandledRejection", onUncaught);
    });
    uncaught.catch(() => {});
    const asked = new Promise<string>((resolve) => {
      this.#asked.addEventListener("abort", () => resolve(String(this.#asked.reason)));
    });
    const server: { listening?: Listening } = {};
    let exitCode = 0;
    const work = this.#start(server);
    // A failure while starting is the work's own; asked to end, the start is still waited for before the stop.
    const never = new Promise<never>(() => {});
    const failed = work.then((running) => running.failed ?? never).then(() => never);
    const finished = work.then((running) => running.finished ?? never).then(() => "the work is done");
    try {
      const why = await Promise.race([asked, failed, finished, uncaught]);
      this.#log.info({ why }, "stopping");
    } catch (error) {
      this.#told = error;
      exitCode = await this.#tellFailure(error);
    }
    const stopped = await this.#stop(work, server);
    process.exit(exitCode === 0 && !stopped ? 1 : exitCode);
  }

  async #start(server: { listening?: Listening }): Promise<RunningService> {
    const { name, ownServer = false, start } = this.#options;
    const metrics = createMetrics(name);
    const health: HealthSource = {
      ready: () => this.#running?.ready() ?? { ok: false, why: "starting" },
      live: () =>
        this.#running?.live?.() ?? { ok: true, why: this.#running === undefined ? "starting" : "running" },
    };
    const admin = createAdminHandler(name, health, metrics);
    if (!ownServer) {
      server.listening = await listen(adminOnly(admin), {
        host: this.#settings.HOST,
        port: this.#settings.PORT,
      });
    }
    const context = { settings: this.#settings, log: this.#log, metrics, clock: systemClock, admin };
    const running = await start({
      ...context,
      stopping: AbortSignal.any([this.#asked, this.#ending.signal]),
    });
    this.#running = running;
    this.#tellReady(health, running.url ?? server.listening?.url ?? "");
    return running;
  }

  #tellReady(health: HealthSource, url: string): void {
    const ask = () => {
      if (this.#asked.aborted) return;
      if (!health.ready().ok) {
        setTimeout(ask, READY_POLL_MS);
        return;
      }
      this.#log.info({ url }, "ready");
      void tellSupervisor({ kelvin: "ready", url });
    };
    ask();
  }

  async #tellFailure(error: unknown): Promise<number> {
    const reason = reasonOf(error);
    if (error instanceof StartError) this.#log.fatal({ code: error.code }, reason);
    else if (isExplained(error)) this.#log.fatal({ code: error.code }, `failed: ${reason}`);
    else this.#log.fatal({ err: error }, `failed: ${reason}`);
    await tellSupervisor({ kelvin: "failed", reason });
    return error instanceof StartError ? error.exitCode : 1;
  }

  /** True when all came to its end in time and without an error. */
  async #stop(work: Promise<RunningService>, server: { listening?: Listening }): Promise<boolean> {
    this.#ending.abort();
    const deadlineMs = this.#settings.STOP_DEADLINE_MS;
    const deadline = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new StopDeadlineError(deadlineMs)), deadlineMs);
    });
    const stopping = work.then(
      (running) => running.stop(),
      () => {},
    );
    try {
      await Promise.race([stopping, deadline]);
      await server.listening?.close();
      this.#log.info({}, "stopped");
      return true;
    } catch (error) {
      // Work that failed may report it once more when it is asked to stop.
      if (error !== this.#told) this.#log.error({ err: error }, reasonOf(error));
      return false;
    }
  }
}

async function endAtStart(name: string, error: unknown): Promise<never> {
  if (!(error instanceof StartError)) throw error;
  console.error(`${name}: ${error.message}`);
  const problems = error instanceof SettingsError ? [...error.problems] : [];
  await tellSupervisor({ kelvin: "failed", reason: error.message, problems });
  process.exit(error.exitCode);
}
