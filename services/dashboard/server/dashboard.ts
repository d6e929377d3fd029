/** The dashboard's server as a whole: what is started, in order, and how it ends. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import type { OpeningOf } from "@kelvin/schema/live";
import {
  type AdminHandler,
  type Clock,
  type KafkaConnection,
  type Log,
  listen,
  type Metrics,
  type RunningService,
} from "@kelvin/service-kit";
import { Access } from "./access.ts";
import { tellAddresses } from "./addresses.ts";
import { commandsOf } from "./commands.ts";
import { limitsOf, type Settings, spansMs, WINDOW_MS } from "./config.ts";
import { startFeed } from "./feed.ts";
import { keptMs } from "./rings.ts";
import { Sockets } from "./sockets.ts";
import { LiveState } from "./state.ts";
import { createWeb } from "./web.ts";

/** Where `vite build` puts the page. */
const PAGE = fileURLToPath(new URL("../dist", import.meta.url));

export interface DashboardOptions {
  readonly settings: Settings;
  readonly kafka: KafkaConnection;
  /** Undefined: both loopbacks. */
  readonly host: string | undefined;
  readonly port: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Answers the requests that every service answers, and is asked first. */
  readonly admin: AdminHandler;
}

export async function startDashboard(options: DashboardOptions): Promise<RunningService & { url: string }> {
  const { settings, kafka, host, port, log, metrics, clock, admin } = options;
  const boot = randomUUID();
  const topics = { sensor: settings.SENSOR_TOPIC, alert: settings.ALERT_TOPIC, kpi: settings.KPI_TOPIC };
  const limits = limitsOf(settings);
  const state = new LiveState(clock, limits);

  // The page opens before Kafka answers, and says what it waits for.
  const access = new Access(settings.DASHBOARD_TOKEN);
  const opening = {
    judge: (request: IncomingMessage) => sockets.judgeOpening(request),
    of: (what: OpeningOf) => sockets.opening(what),
  };
  const web = createWeb({ pageFolder: PAGE, access, opening });
  const listening = await listen(
    (request, response) => {
      // Whether the service is well may be asked by anybody; what it does, only by who may see the page.
      const mayAsk = access.admits(request) || !(request.url ?? "").startsWith("/metrics");
      if (!mayAsk || !admin(request, response)) web(request, response);
    },
    { host, port },
  );
  const sockets = new Sockets({
    servers: listening.servers,
    state,
    clock,
    log,
    metrics,
    access,
    boot,
    windowMs: WINDOW_MS,
    spansMs: spansMs(settings),
    limitKelvin: settings.ALERT_ABOVE_KELVIN,
    topics,
    commands: commandsOf(settings, kafka),
    allowedOrigins: settings.ALLOWED_ORIGINS,
    maxClients: settings.MAX_CLIENTS,
    maxClientsPerAddress: settings.MAX_CLIENTS_PER_ADDRESS,
  });
  tellAddresses({ log, host, port: listening.port, url: listening.url, access });

  const feed = await startFeed({
    kafka,
    topics,
    groupPrefix: settings.GROUP_PREFIX,
    groupId: `${settings.GROUP_PREFIX}-dashboard-${boot}`,
    pastMs: { readings: limits.maxAgeMs, results: keptMs(WINDOW_MS) },
    state,
    clock,
    log,
    metrics,
  });
  return {
    ready: () => feed.ready(),
    live: () => feed.live(),
    failed: feed.failed,
    url: listening.url,
    async stop() {
      await Promise.all([sockets.close(), listening.close(), feed.close()]);
    },
  };
}
