/** What the stream processor tells of itself on /metrics: every number that docs/operations.md watches. */
import { createPublisher, type TopicLike } from "@kelvin/streams";
import { waitFor } from "@kelvin/test-kit";
import { expect, test } from "vitest";
import { installation, PROCESSOR } from "./support/index.ts";

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

/** One key, so one partition; whatever bytes. */
const textTopic = (name: string): TopicLike<string> => ({
  name,
  partitions: 1,
  configEntries: {},
  decode: () => ({ ok: false, problems: ["it is written only"] }),
  encode: (text) => Buffer.from(text),
  key: () => "machine-01",
  eventTimeMs: (_text, recordTimestampMs) => recordTimestampMs,
});

/** Samples by name and pipeline, those of several labels added up. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const [, name, labels = "", value] of text.matchAll(/^(kelvin_\w+)\{(.*)\} (\S+)$/gm)) {
    const pipeline = /pipeline="[^"]*?-(alert|alert-count|average-temperature)"/.exec(labels)?.[1];
    const key = `${name} ${pipeline ?? "of all"}`;
    samples.set(key, (samples.get(key) ?? 0) + Number(value));
  }
  return samples;
}

test.each(["at-least-once", "exactly-once"])(
  "%s: flow, lags, clocks, commits and queues are told by pipeline",
  async (guarantee) => {
    await using plant = await installation();
    await using processor = plant.start(PROCESSOR, { START_FROM: "earliest", GUARANTEE: guarantee });
    const url = await processor.ready();
    const publisher = await createPublisher({
      kafka: { brokers: plant.brokers },
      topic: textTopic(plant.topics.sensor),
      log,
    });
    const send = (shiftMs: number) => {
      const timestamp = new Date(Date.now() + shiftMs).toISOString();
      return publisher.send(JSON.stringify({ timestamp, device_id: "machine-01", temperature: 50 }));
    };
    await publisher.send("no reading");
    for (const shiftMs of [0, -600_000, 600_000]) await send(shiftMs);
    await publisher.close();

    const samples = async () => samplesOf(await (await fetch(`${url}/metrics`)).text());
    const wanted = {
      "kelvin_records_in_total alert": 4,
      "kelvin_records_out_total alert": 3,
      "kelvin_records_dead_lettered_total alert": 1,
      "kelvin_records_in_total average-temperature": 4,
      "kelvin_records_dead_lettered_total average-temperature": 3,
      "kelvin_records_late_total average-temperature": 1,
      "kelvin_records_future_total average-temperature": 1,
      "kelvin_records_late_total alert-count": 1,
      "kelvin_records_future_total alert-count": 1,
    };
    await waitFor("all of it to be counted", async () => {
      const told = await samples();
      return (
        Object.entries(wanted).every(([name, value]) => told.get(name) === value) &&
        told.get("kelvin_lag_records average-temperature") === 0
      );
    });
    const told = await samples();
    for (const pipeline of ["alert", "alert-count", "average-temperature"]) {
      for (const name of ["lag_records", "event_time_lag_seconds", "queued_bytes"])
        expect(told.get(`kelvin_${name} ${pipeline}`), `${name} of ${pipeline}`).toBe(0);
      for (const name of ["commits_total", "commit_seconds"])
        expect(told.get(`kelvin_${name} ${pipeline}`), `${name} of ${pipeline}`).toBeGreaterThan(0);
      expect(told.get(`kelvin_commit_records ${pipeline}`)).toBeGreaterThanOrEqual(0);
      expect(told.get(`kelvin_broker_reachable ${pipeline}`)).toBe(1);
      if (pipeline === "alert") continue;
      expect(told.get(`kelvin_event_time_clock_seconds ${pipeline}`)).toBeGreaterThan(
        Date.now() / 1_000 - 60,
      );
      expect(told.get(`kelvin_window_panes ${pipeline}`)).toBeGreaterThan(0);
    }
    expect((await processor.stop()).code).toBe(0);
  },
);
