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
    testTimeout: 180_000,
    hookTimeout: 60_000,
    /** Members of groups are processes that mostly wait; a Java virtual machine's start is what costs. */
    maxConcurrency: 6,
    maxWorkers: 2,
  },
});
