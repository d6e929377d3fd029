import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startBroker } from "@kelvin/embedded-kafka";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, test } from "vitest";
import { answers } from "./answers.ts";
import { startApacheKafka } from "./apache-kafka.ts";
import { freePorts } from "./ports.ts";
import { serverProperties } from "./server-config.ts";

describe("whether a Kafka answers", () => {
  test("yes: a broker", async () => {
    const broker = await startBroker({ port: 0 });
    try {
      expect(await answers(broker.port)).toBe(true);
    } finally {
      await broker.stop();
    }
  });

  test("no: nobody listens", async () => {
    const [port = 0] = await freePorts(1);
    expect(await answers(port)).toBe(false);
  });

  test.each([
    ["closes", (socket: { destroy(): void }) => socket.destroy()],
    ["is silent", () => {}],
  ])("no: something listens and %s", async (_, onConnection) => {
    const server = createServer(onConnection).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    expect(await answers(typeof address === "object" ? (address?.port ?? 0) : 0)).toBe(false);
    server.close();
  });
});

test("a busy port is named, with the variable that changes it", async () => {
  const broker = await startBroker({ port: 0 });
  try {
    await expect(startApacheKafka({ port: broker.port })).rejects.toMatchObject({
      message: `Port ${broker.port} is in use: choose another with KAFKA_PORT, or stop the program that uses it.`,
      exitCode: 2,
    });
  } finally {
    await broker.stop();
  }
});

test("properties: the caller's win, and a Windows path keeps its backslashes", () => {
  const text = serverProperties({
    port: 1,
    controllerPort: 2,
    dataFolder: "C:\\data",
    properties: { "node.id": "7", "auto.create.topics.enable": "false" },
  });
  const lines = text.split("\n");
  expect(lines).toContain("log.dirs=C:\\\\data");
  expect(lines).toContain("auto.create.topics.enable=false");
  expect(lines.filter((line) => line.startsWith("node.id="))).toEqual(["node.id=7"]);
});

const isThere = (command: string): boolean => spawnSync(command, ["-version"]).error === undefined;

test.skipIf(!isThere("java") || !isThere("mvn"))(
  "Apache Kafka keeps its data when told to, and leaves nothing otherwise",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "kelvin-kafka-test-"));
    try {
      const first = await startApacheKafka({ folder });
      await withAdmin(first.brokers, (admin) => admin.createTopics({ topics: [{ topic: "kept" }] }));
      await first.stop();
      expect(await answers(first.port)).toBe(false);

      const second = await startApacheKafka({ folder, keepData: true });
      expect(await withAdmin(second.brokers, (admin) => admin.listTopics())).toEqual(["kept"]);
      await second.stop();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const third = await startApacheKafka();
    expect(await withAdmin(third.brokers, (admin) => admin.listTopics())).toEqual([]);
    await third.stop();
    expect(existsSync(dirname(third.logFile))).toBe(false);
  },
  300_000,
);

type Admin = ReturnType<Kafka["admin"]>;

async function withAdmin<T>(brokers: string[], use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
