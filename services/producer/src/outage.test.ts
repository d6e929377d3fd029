/** The producer and a broker that goes away: nothing is lost that fits the buffer, and it is known meanwhile. */
import { once } from "node:events";
import { createServer } from "node:net";
import { startBroker } from "@kelvin/embedded-kafka";
import { followTopic, startService, waitFor } from "@kelvin/test-kit";
import { expect, test } from "vitest";

test("readings made before a broker is there, and while it is away, arrive when it is back", async () => {
  const port = await freePort();
  await using service = startService({
    main: "services/producer/src/main.ts",
    env: { KAFKA_BROKERS: `127.0.0.1:${port}`, INTERVAL_MS: "100", PORT: "0", LOG_LEVEL: "info" },
  });
  await service.lineMatching(/simulating devices/);
  await service.lineMatching(/retrying until a broker answers/);

  const first = await startBroker({ port });
  const url = await service.ready();
  const startMs = await timesIn(port, (times) => times.length > 20);
  await first.stop();
  await waitFor("the outage to be known", async () => (await fetch(`${url}/readyz`)).status === 503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);

  // It holds nothing any more: what is in it now was made while it was away, or after.
  const second = await startBroker({ port });
  await waitFor("the producer to be ready again", async () => (await fetch(`${url}/readyz`)).status === 200);
  const after = await timesIn(port, (times) => times.length > 20);
  const steps = after.slice(1).map((timeMs, index) => timeMs - (after[index] ?? 0));
  expect(new Set(steps)).toEqual(new Set([100]));
  expect(startMs.slice(1).every((timeMs, index) => timeMs - (startMs[index] ?? 0) === 100)).toBe(true);
  // At most the readings of the moment in which it went are in neither.
  expect((after[0] ?? 0) - (startMs.at(-1) ?? 0)).toBeLessThan(5000);
  expect((await service.stop()).code).toBe(0);
  await second.stop();
}, 60_000);

/** The times of the readings in `sensor`, in order, as soon as there are enough. */
async function timesIn(port: number, isEnough: (times: number[]) => boolean): Promise<number[]> {
  await using sensor = await followTopic([`127.0.0.1:${port}`], "sensor");
  await waitFor("readings", () => isEnough(sensor.records.map(({ timestampMs }) => timestampMs)));
  return sensor.records.map(({ timestampMs }) => timestampMs);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  server.close();
  await once(server, "close");
  return port;
}
