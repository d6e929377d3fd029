/** Runs the pipelines: each an app with a consumer group of its own, together or alone (`PIPELINES`). */
import { kafkaConnection, runService } from "@kelvin/service-kit";
import { createStreamApp } from "@kelvin/streams";
import { Settings } from "./config.ts";
import { build, groupOf, topicsOf } from "./topology.ts";

await runService({
  name: "stream-processor",
  defaultPort: 3002,
  settings: Settings,
  async start({ settings, log, metrics, clock }) {
    const topics = topicsOf(settings);
    const apps = settings.PIPELINES.map((pipeline) => {
      const name = groupOf(pipeline, settings);
      const appLog = log.child({ pipeline });
      const app = createStreamApp({
        name,
        kafka: kafkaConnection(settings, name),
        startFrom: settings.START_FROM,
        guarantee: settings.GUARANTEE,
        ...(settings.COMMIT_EVERY_MS === undefined ? {} : { commitEveryMs: settings.COMMIT_EVERY_MS }),
        log: appLog,
        metrics,
        clock,
      });
      build(pipeline, app, { topics, settings, log: appLog });
      return app;
    });
    const running = Promise.all(apps.map((app) => app.run()));
    const worst = (field: "ready" | "live") => {
      const bad = apps.map((app) => app.health()).find((health) => !health[field]);
      return { ok: bad === undefined, why: bad?.why ?? "running" };
    };
    return {
      ready: () => worst("ready"),
      live: () => worst("live"),
      failed: running,
      stop: async () => {
        await Promise.all(apps.map((app) => app.stop()));
        await running;
      },
    };
  },
});
