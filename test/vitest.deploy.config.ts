import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** What is deployed beside the services, by the tools that judge it: `pnpm test:deploy`. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    name: "deploy",
    include: ["test/deploy/**/*.test.ts"],
    globalSetup: ["tools/page/setup.ts", "packages/test-kit/src/integration-setup.ts"],
    execArgv: ["--disable-warning=TimeoutNegativeWarning"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ["verbose"],
  },
});
