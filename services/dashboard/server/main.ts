/** The dashboard's server: what is started, in order, and how it ends. */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { kafkaConnection, listen, runService } from "@kelvin/service-kit";
import { limitsOf, Settings, WINDOW_MS } from "./config.ts";
import { startFeed } from "./feed.ts";
import { Sockets } from "./sockets.ts";
import { LiveState } from "./state.ts";
import { createWeb } from "./web.ts";

await runService({
  name: "dashboard",
  defaultPort: 3000,
  settings: Settings,
  ownServer: true,
  async start({ settings, log, metrics, clock, admin }) {
    const boot = randomUUID();
    const topics = { sensor: settings.SENSOR_TOPIC, alert: settings.ALERT_TOPIC, kpi: settings.KPI_TOPIC };
    const limits = limitsOf(settings);
    const state = new LiveState(clock, limits);

    // The page opens before Kafka answers, and says what it waits for.
    const web = createWeb(fileURLToPath(new URL("../dist", import.meta.url)));
    const listening = await listen(
      (request, response) => {
        if (!admin(request, response)) web(request, response);
      },
      { host: settings.HOST, port: settings.PORT },
    );
    const sockets = new Sockets({
      servers: listening.servers,
      state,
      clock,
      log,
      metrics,
      boot,
      windowMs: WINDOW_MS,
      limitKelvin: settings.ALERT_ABOVE_KELVIN,
      topics,
      allowedOrigins: settings.ALLOWED_ORIGINS,
      maxClients: settings.MAX_CLIENTS,
      maxClientsPerAddress: settings.MAX_CLIENTS_PER_ADDRESS,
    });
    log.info({ url: listening.url }, "listening");

    const feed = await startFeed({
      kafka: kafkaConnection(settings, "kelvin-dashboard"),
      topics,
      groupPrefix: settings.GROUP_PREFIX,
      groupId: `${settings.GROUP_PREFIX}-dashboard-${boot}`,
      pastMs: limits.maxAgeMs,
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
  },
});
