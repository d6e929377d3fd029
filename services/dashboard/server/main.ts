/** The dashboard's process: topics in, a live page out. */
import { kafkaConnection, runService } from "@kelvin/service-kit";
import { Settings } from "./config.ts";
import { startDashboard } from "./dashboard.ts";

await runService({
  name: "dashboard",
  defaultPort: 3000,
  settings: Settings,
  ownServer: true,
  start: ({ settings, log, metrics, clock, admin }) =>
    startDashboard({
      settings,
      kafka: kafkaConnection(settings, "kelvin-dashboard"),
      host: settings.HOST,
      port: settings.PORT,
      log,
      metrics,
      clock,
      admin,
    }),
});
