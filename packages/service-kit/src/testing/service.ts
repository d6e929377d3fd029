/** A service that does as it is told, for the tests of a process's life. */
import * as z from "zod";
import { integer, runService } from "../index.ts";

const Settings = z.object({
  /** Milliseconds. */
  STOP_TAKES_MS: integer({ min: 0, max: 600_000 }).default(0),
  READY_AFTER_MS: integer({ min: 0, max: 600_000 }).default(0),
  FAILS_WITH: z.string().optional(),
  THROWS_WITH: z.string().optional(),
  START_FAILS_WITH: z.string().optional(),
  FINISHES: z.string().optional(),
});

class ToldToFailError extends Error {
  override readonly name = "ToldToFailError";
}

await runService({
  name: "obedient",
  defaultPort: 0,
  settings: Settings,
  async start({ settings, log, metrics, clock }) {
    metrics.count("kelvin_starts_total", "How often it was started.", { why: "test" });
    if (settings.START_FAILS_WITH !== undefined) throw new ToldToFailError(settings.START_FAILS_WITH);
    const startedAt = clock.monotonic();
    const isReady = () => clock.monotonic() - startedAt >= settings.READY_AFTER_MS;
    const failed = new Promise<never>((_, reject) => {
      process.on("SIGUSR2", () => reject(new ToldToFailError(settings.FAILS_WITH ?? "told to fail")));
    });
    if (settings.THROWS_WITH !== undefined) {
      clock.setTimeout(() => {
        throw new ToldToFailError(settings.THROWS_WITH);
      }, 10);
    }
    return {
      ready: () => (isReady() ? { ok: true, why: "well" } : { ok: false, why: "not yet" }),
      failed,
      finished: settings.FINISHES === undefined ? new Promise(() => {}) : Promise.resolve(),
      async stop() {
        log.info({}, "stop was called");
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, settings.STOP_TAKES_MS));
        log.info({}, "stop is through");
      },
    };
  },
});
