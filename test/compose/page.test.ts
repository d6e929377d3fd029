/**
 * `docker compose up` as an operator sees it in Chromium, who leaves one tab open through all of it: the start, a scaled
 * and a killed processor, Kafka's restart, `down` and `up`, `down -v`. Prints its figures.
 */
import { cpus, loadavg } from "node:os";
import { followTopic, isChromiumMissing, launchChromium, waitFor } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { freePorts } from "../../tools/kafka/ports.ts";
import { type Compose, compose, docker } from "./docker.ts";

const MINUTE_MS = 60_000;
const OUR_OWN = ["dashboard", "producer", "stream-processor"];

describe.skipIf(isChromiumMissing)("compose, seen in Chromium (skipped where there is no Chromium)", () => {
  let demo: Compose;
  let brokers: string[];
  let address: string;
  let browser: Browser;
  let page: Page;
  const figures: Record<string, string> = {};

  beforeAll(async () => {
    const [kafkaPort = 0, pagePort = 0] = await freePorts(2);
    brokers = [`localhost:${kafkaPort}`];
    address = `http://localhost:${pagePort}`;
    // Machines enough that every partition has some: whichever processor is killed, a pipeline is behind.
    demo = compose({ KAFKA_PORT: String(kafkaPort), PORT: String(pagePort), DEVICES: "12" });
    browser = await launchChromium();
    await demo.run("down", "--volumes", "--remove-orphans");
    await demo.run("build");
  });
  afterAll(async () => {
    await browser?.close();
    await demo.run("down", "--volumes", "--remove-orphans", "--rmi", "local");
    figures["load of the machine at the end, by its cores"] =
      `${loadavg()[0]?.toFixed(1)} by ${cpus().length}`;
    for (const [what, value] of Object.entries(figures)) console.log(`${what}: ${value}`);
  });
  // Each step begins where the one before ended.
  let isBroken = false;
  beforeEach((context) => context.skip(isBroken, "the step before failed"));
  afterEach(({ task }) => {
    isBroken ||= task.result?.state === "fail";
  });

  test(
    "from `up` on empty volumes to the first point of the chart",
    async () => {
      const sinceMs = Date.now();
      const up = demo.run("up", "--detach", "--wait").then(() => sinceText(sinceMs));
      page = await browser.newPage();
      await waitFor("the page", () => page.goto(address), { timeoutMs: 5 * MINUTE_MS });
      await waitFor("a point of the chart", async () => (await newestMs(page)) > sinceMs, {
        timeoutMs: MINUTE_MS,
      });
      figures["from up to the first point of the chart"] = sinceText(sinceMs);
      figures["from up to the end of --wait"] = await up;
      await isLive(sinceMs);
      figures["memory"] = await memory();
    },
    7 * MINUTE_MS,
  );

  test(
    "every port is published on the loopback alone, and what ends by itself is started again",
    async () => {
      const ids = (await demo.run("ps", "--quiet")).trim().split("\n");
      const containers = Containers.parse(JSON.parse(await docker(["inspect", ...ids])));
      const hosts = containers.flatMap(({ NetworkSettings }) =>
        Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? []),
      );
      expect(hosts.map(({ HostIp }) => HostIp)).toEqual(["127.0.0.1", "127.0.0.1"]);
      expect(containers.map(({ HostConfig }) => HostConfig.RestartPolicy.Name)).toEqual(
        containers.map(() => "unless-stopped"),
      );
      const atMs = Date.now();
      await demo.run("exec", "-T", "producer", "node", "-e", KILL_THE_SERVICE).catch(() => {});
      await waitFor("another start of the producer", async () => {
        const id = (await demo.run("ps", "--quiet", "producer")).trim();
        return (await docker(["inspect", "--format", "{{.RestartCount}}", id])).trim() === "1";
      });
      await isLive(atMs + 1_000);
      figures["producer killed within its container: its next reading on the page"] = sinceText(atMs);
    },
    2 * MINUTE_MS,
  );

  test(
    "three processors, one of them killed: the page tells it, and is live again",
    async () => {
      const upMs = Date.now();
      await demo.run("up", "--detach", "--wait", "--no-recreate", "--scale", "stream-processor=3");
      figures["--scale stream-processor=3: all healthy after"] = sinceText(upMs);
      await isLive(Date.now());
      const ids = (await demo.run("ps", "--quiet", "stream-processor")).trim().split("\n");
      expect(ids).toHaveLength(3);
      figures["memory with three processors"] = await memory();
      const killedMs = Date.now();
      await docker(["kill", "--signal", "KILL", ids[0] ?? ""]);
      await tells("pipeline-behind");
      figures["one of three killed: the page calls a pipeline behind after"] = sinceText(killedMs);
      await isLive(killedMs);
      figures["one of three killed: the page is live again after"] = sinceText(killedMs);
      await demo.run("up", "--detach", "--wait");
    },
    4 * MINUTE_MS,
  );

  test(
    "`restart kafka`: the page says that Kafka is down, and is live again by itself",
    async () => {
      const stoppedMs = Date.now();
      const restarted = demo.run("restart", "kafka");
      await tells("kafka-down");
      figures["restart kafka: the page tells it after"] = sinceText(stoppedMs);
      await restarted;
      await waitFor("Kafka's answer", isAnswering, { timeoutMs: MINUTE_MS, everyMs: 20 });
      const openMs = Date.now();
      figures["restart kafka: it answers after"] = sinceText(stoppedMs);
      await isLive(openMs);
      figures["restart kafka: the page is live after that"] = sinceText(openMs);
      await demo.run("up", "--detach", "--wait");
      figures["restart kafka: all healthy after that"] = sinceText(openMs);
    },
    4 * MINUTE_MS,
  );

  test(
    "`down` and `up`: all records are still there, and the open tab is live by itself",
    async () => {
      const before = await firstReading();
      const downMs = Date.now();
      await demo.run("down");
      figures["down takes"] = sinceText(downMs);
      const upMs = Date.now();
      await demo.run("up", "--detach", "--wait");
      figures["up --wait, on the volume, takes"] = sinceText(upMs);
      await isLive(upMs);
      expect(await firstReading()).toBe(before);
    },
    5 * MINUTE_MS,
  );

  test(
    "asked to stop, every container ends in order, and `down -v` leaves no volume",
    async () => {
      const stopMs = Date.now();
      await demo.run("stop", ...OUR_OWN);
      figures["stop of the three services"] = sinceText(stopMs);
      const ids = (await demo.run("ps", "--all", "--quiet", ...OUR_OWN)).trim().split("\n");
      const codes = await docker(["inspect", "--format", "{{.State.ExitCode}}", ...ids]);
      expect(codes.trim().split("\n")).toEqual(ids.map(() => "0"));
      const volumes = () =>
        docker(["volume", "ls", "--quiet", "--filter", "label=com.docker.compose.project=kelvin-test"]);
      expect(await volumes()).toContain("kelvin-test_kafka-data");
      await demo.run("down", "--volumes");
      expect(await volumes()).toBe("");
    },
    2 * MINUTE_MS,
  );

  async function tells(state: string): Promise<void> {
    await waitFor(`the page to say ${state}`, async () => (await statesOf(page)).includes(state), {
      timeoutMs: MINUTE_MS,
    });
  }

  /** Nothing is wrong in the page's eyes, and it shows a reading of after that moment. */
  async function isLive(sinceMs: number): Promise<void> {
    await waitFor(
      "a live page",
      async () => (await newestMs(page)) > sinceMs && (await statesOf(page)).join() === "live",
      { timeoutMs: 2 * MINUTE_MS },
    );
  }

  async function firstReading(): Promise<string | null | undefined> {
    await using sensor = await followTopic(brokers, "sensor");
    return (await sensor.toEnd()).toSorted((a, b) => a.timestampMs - b.timestampMs)[0]?.value;
  }

  /** Docker's own proxy takes connections before Kafka does: so an answer is waited for. */
  async function isAnswering(): Promise<boolean> {
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
    try {
      await admin.connect();
      return (await admin.describeCluster()).brokers.length === 1;
    } finally {
      await admin.disconnect();
    }
  }

  async function memory(): Promise<string> {
    const ids = (await demo.run("ps", "--quiet")).trim().split("\n");
    const format = "{{.Name}} {{.MemUsage}}";
    const stats = await docker(["stats", "--no-stream", "--format", format, ...ids]);
    return stats.trim().split("\n").sort().join(", ");
  }
});

/** Of what `docker inspect` tells. */
const Containers = z.array(
  z.object({
    HostConfig: z.object({ RestartPolicy: z.object({ Name: z.string() }) }),
    NetworkSettings: z.object({
      Ports: z.record(z.string(), z.array(z.object({ HostIp: z.string() })).nullable()),
    }),
  }),
);

/** Within a container: ends the service as the kernel would, which `docker kill` is not; the first process is the init. */
const KILL_THE_SERVICE = `
  for (const pid of fs.readdirSync("/proc").filter((name) => name > 1 && Number(name) !== process.pid))
    if (fs.readFileSync("/proc/" + pid + "/cmdline", "utf8").includes("src/main.ts")) process.kill(Number(pid), "SIGKILL");
`;

const sinceText = (ms: number): string => `${((Date.now() - ms) / 1000).toFixed(1)} s`;

const Times = z.array(z.object({ timeMs: z.number() }));
const newestMs = async (page: Page): Promise<number> =>
  Times.parse(await page.evaluate("window.__kelvin?.series() ?? []")).at(-1)?.timeMs ?? 0;
const statesOf = async (page: Page): Promise<string[]> =>
  z.array(z.string()).parse(await page.evaluate("window.__kelvin?.states() ?? []"));
