import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Unmodified clients of four languages on the embedded broker, or with KAFKA_BROKERS on any Kafka: `pnpm test:clients`. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    name: "clients",
    include: ["test/clients/**/*.test.ts"],
    globalSetup: ["packages/test-kit/src/integration-setup.ts", "test/clients/setup.ts"],
    execArgv: ["--disable-warning=TimeoutNegativeWarning"],
    /** A test of Java's tools starts a dozen virtual machines: of 10 s and more each where the machine is busy. */
    testTimeout: 600_000,
    hookTimeout: 60_000,
    /** Members of groups are processes that mostly wait; a Java virtual machine's start is what costs. */
    maxConcurrency: 6,
    maxWorkers: 2,
  },
});
