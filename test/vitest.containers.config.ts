import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const MINUTE_MS = 60_000;

/** The suites that need docker, each by a command of its own: `pnpm test:containers` and `pnpm test:compose`. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    testTimeout: 2 * MINUTE_MS,
    hookTimeout: 2 * MINUTE_MS,
    projects: [
      {
        extends: true,
        test: {
          name: "containers",
          // The integration suite once more, on the image that production and docker-compose.yml use.
          include: ["test/testcontainers/**/*.test.ts", "**/*.integration.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**"],
          globalSetup: ["tools/page/setup.ts", "test/testcontainers/setup.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "compose",
          include: ["test/compose/**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**"],
          hookTimeout: 15 * MINUTE_MS, // the images are built first
          fileParallelism: false,
        },
      },
    ],
  },
});
