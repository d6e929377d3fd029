import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The suite that needs Python with quixstreams and streamlit: `pnpm test:python`. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    name: "python",
    include: ["test/python/**/*.test.ts"],
    globalSetup: ["tools/page/setup.ts", "packages/test-kit/src/integration-setup.ts"],
    execArgv: ["--disable-warning=TimeoutNegativeWarning"],
    testTimeout: 120_000,
    reporters: ["verbose"], // names what is skipped, and why
    hookTimeout: 60_000,
  },
});
