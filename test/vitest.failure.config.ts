import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Scale and failure on an Apache Kafka from its jars, some 4 minutes: `pnpm test:failure`. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    name: "failure",
    include: ["test/failure/**/*.test.ts"],
    testTimeout: 600_000,
    reporters: ["verbose"],
  },
});
