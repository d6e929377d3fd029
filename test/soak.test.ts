/** The soak of `test/soak`, shortly: a processor is killed and the broker restarted, once, under each guarantee. */
import { test } from "vitest";
import { soak } from "./soak/soak.ts";

test.concurrent.each(["at-least-once", "exactly-once"] as const)(
  "%s: after a kill and a restart the topics are those of brute force",
  (guarantee) => soak({ seed: 1, seconds: 6, guarantee }),
  300_000,
);
