/** The process as `npm start` and a container run it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { brokersOfTests, installation } from "./fixtures/kafka.ts";
import { get, TestPage } from "./fixtures/server-and-page.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const Ready = z.object({ kelvin: z.literal("ready"), url: z.string() });

function start(env: Record<string, string>): { child: ChildProcess; output: () => string } {
  const child = fork(MAIN, {
    env: { PATH: process.env["PATH"], PORT: "0", ...env },
    execArgv: [],
    silent: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

test("ready, healthy, measured; and gone in order while a page is open", async () => {
  const { brokers, topics, prefix } = installation(brokersOfTests());
  const { child, output } = start({
    KAFKA_BROKERS: brokers.join(","),
    SENSOR_TOPIC: topics.sensor,
    ALERT_TOPIC: topics.alert,
    KPI_TOPIC: topics.kpi,
    GROUP_PREFIX: prefix,
    ALERT_ABOVE_KELVIN: "312",
  });
  const exit = once(child, "exit");
  const [message] = await once(child, "message");
  const { url } = Ready.parse(message);
  expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 });
  expect(await get(`${url}/readyz`)).toMatchObject({ status: 200 });
  using page = TestPage.watching(url, null);
  await vi.waitFor(() => expect(page.welcome).toMatchObject({ limitKelvin: 312, topics }));
  const metrics = await get(`${url}/metrics`);
  expect(metrics.body).toContain('kelvin_dashboard_clients{service="dashboard"} 1');
  child.kill("SIGTERM");
  expect(await exit, output()).toEqual([0, null]);
});

test("wrong settings are told all at once, and the process ends with code 2", async () => {
  const { child, output } = start({
    ALERT_ABOVE_KELVIN: "hot",
    MAX_DEVICES: "0",
    ALLOWED_ORIGINS: "example.com",
  });
  expect(await once(child, "exit")).toEqual([2, null]);
  for (const name of ["ALERT_ABOVE_KELVIN=hot", "MAX_DEVICES=0", "ALLOWED_ORIGINS=example.com"]) {
    expect(output()).toContain(name);
  }
});

test("a process that can't reach Kafka still answers, and ends when asked", async () => {
  const { child, output } = start({ KAFKA_BROKERS: "127.0.0.1:1", LOG_FORMAT: "json" });
  const exit = once(child, "exit");
  const url = await vi.waitFor(() => z.string().parse(/"url":"([^"]+)"/.exec(output())?.[1]), {
    timeout: 10_000,
  });
  expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 });
  const ready = await vi.waitFor(async () => {
    const answer = await get(`${url}/readyz`);
    expect(answer.body).toContain("unreachable");
    return answer;
  });
  expect(ready.status).toBe(503);
  child.kill("SIGTERM");
  expect(await exit, output()).toEqual([0, null]);
});
