/**
 * By command, `pnpm test:soak`: SOAK_SECONDS says how long, SOAK_SEED what happens, SOAK_GUARANTEE=at-least-once changes
 * the guarantee, SOAK_KAFKA=apache takes an Apache Kafka (Java 17).
 */
import { test } from "vitest";
import { soak } from "./soak.ts";

const SECONDS = Number(process.env["SOAK_SECONDS"] ?? 7);
const SEED = Number(process.env["SOAK_SEED"] ?? 1);
const GUARANTEE = process.env["SOAK_GUARANTEE"] === "at-least-once" ? "at-least-once" : "exactly-once";
const IS_APACHE = process.env["SOAK_KAFKA"] === "apache";

test(
  "after kills and restarts the topics are those of brute force",
  () => soak({ seed: SEED, seconds: SECONDS, guarantee: GUARANTEE, isApache: IS_APACHE }),
  // An Apache Kafka's restart takes half a minute where the machine has other work.
  600_000 + 5_000 * SECONDS,
);
