import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const INTEGRATION = "**/*.integration.test.ts";
/** These need docker: `pnpm test:containers`, `pnpm test:compose` (test/vitest.containers.config.ts). */
const CONTAINERS = ["test/compose/**", "test/testcontainers/**"];
/** It needs Python with quixstreams: `pnpm test:python` (test/vitest.python.config.ts). */
const PYTHON = "test/python/**";
/** They need Python, Go, Java, kcat: `pnpm test:clients` (test/vitest.clients.config.ts). */
const CLIENTS = "test/clients/**";
/** Minutes of a cluster with 1,000 devices and killed processes: `pnpm test:failure` (test/vitest.failure.config.ts). */
const FAILURE = "test/failure/**";
/** Seconds to minutes of kills and restarts, by a seed: `pnpm test:soak` (test/vitest.soak.config.ts). */
const SOAK = "test/soak/**";
/** Some tests open the page as it is served. It is built where its sources have changed. */
const PAGE = "tools/page/setup.ts";
/** Judged by tools that few machines have: `pnpm test:deploy` (test/vitest.deploy.config.ts). */
const DEPLOY = "test/deploy/**";
const NEVER = ["**/node_modules/**", "**/dist/**", ".cache/**"];

/** Sources are run by Node in production; tests take them by vitest, from the same files and with no build. */
export default defineConfig({
  test: {
    /** What is not there by then is not coming, on a machine that is busy otherwise, too: a test that passes waits for none of it. */
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    /** kafkajs sets a timer for its idle queue with a time that is long past, at every start. */
    execArgv: ["--disable-warning=TimeoutNegativeWarning"],
    /** Most of the time a test waits for a rebalance or a page, not for the processor. */
    maxWorkers: Math.max(3, availableParallelism()),
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          globalSetup: PAGE,
          include: ["{packages,services,test,tools,bench,docs}/**/*.test.ts"],
          exclude: [INTEGRATION, ...CONTAINERS, CLIENTS, DEPLOY, PYTHON, FAILURE, SOAK, ...NEVER],
        },
      },
      {
        /** Green on the embedded broker (the default) and, with KAFKA_BROKERS, on any Kafka. */
        extends: true,
        test: {
          name: "integration",
          include: [INTEGRATION],
          exclude: [...CONTAINERS, ...NEVER],
          globalSetup: [PAGE, "packages/test-kit/src/integration-setup.ts"],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
