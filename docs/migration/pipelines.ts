/** The pipelines that the pages on migration show, block by block; each is run by migration.test.ts. */
import { agg, type KeyState, type StreamApp } from "@kelvin/streams";
import { backup, cold, hot, type Reading, readings, reports } from "./topics.ts";

export function filterAndWrite(app: StreamApp): void {
  app
    .dataframe(readings)
    .apply((reading) => ({ ...reading, celsius: Math.round(reading.celsius) }))
    .filter((reading) => reading.celsius > 30)
    .toTopic(hot);
}

export function expand(app: StreamApp): void {
  app
    .dataframe(readings)
    .flatMap((reading) => [reading, { ...reading, device: `${reading.device}-copy` }])
    .toTopic(backup);
}

export function state(app: StreamApp): void {
  app
    .dataframe(readings)
    .applyStateful(
      (reading, highest: KeyState<number>) => {
        const celsius = Math.max(reading.celsius, highest.get() ?? reading.celsius);
        highest.set(celsius);
        return { ...reading, celsius };
      },
      { store: "highest", ttl: "24h" },
    )
    .toTopic(hot);
}

export function group(app: StreamApp): void {
  app
    .dataframe(readings)
    .groupBy((reading) => reading.floor, { name: "floor" })
    .tumblingWindow("10s", { grace: "2s" })
    .aggregate({ mean: agg.mean((reading) => reading.celsius) })
    .final()
    .apply(({ key, endMs, value }) => ({ name: key, untilMs: endMs, value: value.mean }))
    .toTopic(reports);
}

export function several(app: StreamApp): void {
  app
    .dataframe(readings)
    .hoppingWindow("1m", { every: "10s", grace: "5s" })
    .aggregate({
      count: agg.count(),
      median: agg.quantile(0.5, (reading: Reading) => reading.celsius),
      spread: agg.stddev((reading: Reading) => reading.celsius),
    })
    .current()
    .apply(({ key, endMs, value }) => ({ name: key, untilMs: endMs, value: value.median }))
    .toTopic(reports);
}

export function split(app: StreamApp): void {
  const { hotter, colder } = app.dataframe(readings).branch({
    hotter: (reading) => reading.celsius > 30,
    colder: (reading) => reading.celsius < 0,
  });
  hotter.toTopic(hot);
  colder.toTopic(cold);
}

export function join(app: StreamApp): void {
  app
    .dataframe(readings)
    .merge(app.dataframe(backup))
    .toTopic((reading) => (reading.celsius > 30 ? hot : cold), { topics: [hot, cold] });
}

export function ask(app: StreamApp, floorOf: (device: string) => Promise<string>): void {
  app
    .dataframe(readings)
    .applyAsync(async (reading) => ({ ...reading, floor: await floorOf(reading.device) }), {
      concurrency: 16,
      attempts: 5,
      onFailure: "dead-letter",
    })
    .toTopic(backup);
}
