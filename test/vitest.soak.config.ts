import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Processors killed and a broker restarted, all by a seed: `pnpm test:soak`, 30 s or as long as SOAK_SECONDS says. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    name: "soak",
    include: ["test/soak/**/*.test.ts"],
    hookTimeout: 60_000,
    reporters: ["verbose"],
  },
});
