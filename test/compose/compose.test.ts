/** `docker compose up`, as the README and the tutorial tell it: what comes up, what the page's server says, the commands. */

import { followTopic, waitFor } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { freePorts } from "../../tools/kafka/ports.ts";
import { alertsOf, readingsOf } from "../support/index.ts";
import { type Compose, compose, docker } from "./docker.ts";

let demo: Compose;
let brokers: string[];
let page: string;

beforeAll(async () => {
  const [kafkaPort = 0, pagePort = 0] = await freePorts(2);
  brokers = [`localhost:${kafkaPort}`];
  page = `http://localhost:${pagePort}`;
  demo = compose({
    KAFKA_PORT: String(kafkaPort),
    PORT: String(pagePort),
    ALERT_ABOVE_KELVIN: "290", // 17 °C: an alert within a few readings
  });
  await demo.run("down", "--volumes", "--remove-orphans");
  await demo.run("up", "--detach", "--build", "--wait");
});

afterAll(async () => {
  await demo.run("down", "--volumes", "--remove-orphans", "--rmi", "local");
});

test("every service is up and healthy, and none runs as root", async () => {
  const states = (await demo.run("ps", "--format", "{{.Service}} {{.State}} {{.Health}}"))
    .trim()
    .split("\n")
    .sort();
  expect(states).toEqual([
    "dashboard running healthy",
    "kafka running healthy",
    "producer running healthy",
    "stream-processor running healthy",
  ]);
  for (const service of ["dashboard", "producer", "stream-processor"]) {
    expect(await demo.run("exec", "-T", service, "id", "-un"), service).toBe("node\n");
  }
});

test("nothing can be written but /tmp, and memory is limited", async () => {
  for (const service of ["dashboard", "producer", "stream-processor"]) {
    const write = (path: string) =>
      demo.run("exec", "-T", service, "node", "-e", `fs.writeFileSync("${path}", "x")`);
    await expect(write("/app/x"), service).rejects.toThrow(/EROFS|EACCES/);
    await write("/tmp/x");
    const id = (await demo.run("ps", "--quiet", service)).trim();
    const limits = await docker([
      "inspect",
      "--format",
      "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}}",
      id,
    ]);
    expect(limits.trim(), service).toMatch(/^true [1-9]\d{8}$/);
  }
});

test("three stream processors share the partitions, and one may be killed", async () => {
  await demo.run("up", "--detach", "--wait", "--no-recreate", "--scale", "stream-processor=3");
  const ids = (await demo.run("ps", "--quiet", "stream-processor")).trim().split("\n");
  expect(ids).toHaveLength(3);
  await docker(["kill", "--signal", "KILL", ids[0] ?? ""]);
  const atMs = Date.now();
  await using kpi = await followTopic(brokers, "kpi");
  const since = async (): Promise<boolean> =>
    (await kpi.toEnd()).some(({ value }) => Date.parse(JSON.parse(value ?? "{}").window_end) > atMs + 1_000);
  await waitFor("KPIs of after the kill", since, { timeoutMs: 40_000 });
  await demo.run("rm", "--stop", "--force", "stream-processor");
  await demo.run("up", "--detach", "--wait");
});

test("the profile replay sends the real machine's readings beside the simulated ones", async () => {
  await demo.run("--profile", "replay", "up", "--detach", "--wait", "replay");
  await using sensor = await followTopic(brokers, "sensor");
  await waitFor("its readings", () =>
    readingsOf(sensor.records).some(({ device }) => device === "machine-nab"),
  );
  await demo.run("rm", "--stop", "--force", "replay");
});

test("asked to stop, every service ends in order and within the grace time", async () => {
  const services = ["dashboard", "producer", "stream-processor"];
  const ids = new Map<string, string>();
  for (const service of services) ids.set(service, (await demo.run("ps", "--quiet", service)).trim());
  const startedMs = performance.now();
  await demo.run("stop", ...services);
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  for (const [service, id] of ids) {
    const end = await docker(["inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", id]);
    expect(end.trim(), service).toBe("0 false");
  }
  await demo.run("up", "--detach", "--wait");
});

test("monitoring has no default password", async () => {
  const config = z
    .object({ services: z.object({ grafana: z.object({ entrypoint: z.array(z.string()) }) }) })
    .parse(JSON.parse(await demo.run("--profile", "monitoring", "config", "--format", "json")));
  const script = config.services.grafana.entrypoint
    .at(-1)
    ?.replaceAll("$$", "$")
    .replace("exec /run.sh", "true");
  const run = (password: string) =>
    docker([
      "run",
      "--rm",
      "--env",
      `GF_SECURITY_ADMIN_PASSWORD=${password}`,
      "node:24-slim",
      "sh",
      "-c",
      script ?? "",
    ]);
  await expect(run("")).rejects.toThrow(/Set GRAFANA_PASSWORD/);
  await run("given");
});

test("the page is served, and its socket tells live readings", async () => {
  const answer = await fetch(page);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain("Real-Time IoT Dashboard");
  expect((await fetch(`${page}/readyz`)).status).toBe(200);

  const socket = io(page, {
    extraHeaders: { origin: page },
    auth: { watch: { device: null, have: null, spanMs: null } },
  });
  try {
    const batches: unknown[] = [];
    socket.on("batch", (batch) => batches.push(batch));
    await waitFor("a batch of readings", () => batches.length > 1);
  } finally {
    socket.close();
  }
});

test("records flow in sensor, alert and kpi, also for a client on the host", async () => {
  await using sensor = await followTopic(brokers, "sensor");
  await using alert = await followTopic(brokers, "alert");
  await using kpi = await followTopic(brokers, "kpi");
  await waitFor("readings", async () => readingsOf(await sensor.toEnd()).length >= 3);
  await waitFor("an alert", async () => alertsOf(await alert.toEnd()).length >= 1, { timeoutMs: 60_000 });
  for (const name of ["alert_count", "average_temperature"]) {
    await waitFor(`a KPI ${name}`, () => kpi.records.some(({ value }) => value?.includes(`"${name}"`)));
  }
});

test("docker exec: the console consumer reads the alerts from the beginning", async () => {
  const command =
    "exec -i kafka kafka-console-consumer.sh --topic alert --from-beginning --bootstrap-server localhost:9092";
  const output = await docker([...command.split(" "), "--max-messages", "1", "--timeout-ms", "60000"]);
  const line = output.split("\n").find((text) => text.startsWith("{"));
  expect(Object.keys(JSON.parse(line ?? "")).sort()).toEqual([
    "celsius",
    "device_id",
    "fahrenheit",
    "kelvin",
    "timestamp",
  ]);
});

test("docker exec: a deleted topic is recreated, and processing continues", async () => {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = { topics: ["alert"] };
    const before = await admin.fetchTopicMetadata(topics);
    const deletedAtMs = Date.now();
    await docker(
      "exec kafka kafka-topics.sh --delete --topic alert --bootstrap-server localhost:9092".split(" "),
    );
    const alertsSince = async (): Promise<boolean> => {
      await using alert = await followTopic(brokers, "alert");
      return (await alert.toEnd()).some(({ timestampMs }) => timestampMs > deletedAtMs);
    };
    await waitFor("new alerts in it", alertsSince, { timeoutMs: 90_000 });
    const after = await admin.fetchTopicMetadata(topics);
    expect(after.topics[0]?.partitions.length).toBe(before.topics[0]?.partitions.length);
    await waitFor(
      "all services healthy",
      async () => !(await demo.run("ps", "--format", "{{.Health}}")).includes("un"),
    );
  } finally {
    await admin.disconnect();
  }
});

test("Kafka's data outlive its container", async () => {
  const firstReading = async (): Promise<string | null> => {
    await using sensor = await followTopic(brokers, "sensor");
    return (await sensor.toEnd())[0]?.value ?? null;
  };
  const before = await firstReading();
  expect(before).not.toBeNull();
  await demo.run("up", "--detach", "--force-recreate", "--no-deps", "--wait", "kafka");
  const find = async (): Promise<boolean> => {
    await using sensor = await followTopic(brokers, "sensor");
    return (await sensor.toEnd()).some(({ value }) => value === before);
  };
  expect(await waitFor("the first reading of before", find, { timeoutMs: 30_000 })).toBe(true);
  await demo.run("down");
  await demo.run("up", "--detach", "--wait", "kafka");
  expect(await waitFor("the first reading, after down and up", find, { timeoutMs: 30_000 })).toBe(true);
  await demo.run("up", "--detach", "--wait");
}, 300_000);
