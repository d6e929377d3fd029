/** The shipped configuration, rules and dashboard, on a Prometheus that watches a running system. */
import { waitFor } from "@kelvin/test-kit";
import { Kafka, logLevel } from "kafkajs";
import { expect, test } from "vitest";
import { openPage } from "../failure/page-socket.ts";
import { DASHBOARD, installation, PROCESSOR, PRODUCER } from "../support/index.ts";
import { deployedQueries } from "../support/queries.ts";
import { startPrometheus } from "./prometheus.ts";
import { isMissing } from "./tool.ts";

/** Told by pipelines that keep something in stores. */
const OF_STORES = /\bkelvin_(restore|store)_/;
const LONG = { timeoutMs: 120_000, everyMs: 500 };

test.skipIf(isMissing("prometheus", "--version"))(
  "every panel has data, a bad record and a dead processor fire their alerts, and no rule fails (skipped without prometheus)",
  async () => {
    await using plant = await installation();
    await using dashboard = plant.start(DASHBOARD);
    await using processor = plant.start(PROCESSOR);
    await using producer = plant.start(PRODUCER, { DEVICES: "3" });
    const urls = await Promise.all([dashboard, processor, producer].map((service) => service.ready()));
    const [dashboardAt = "", processorAt = "", producerAt = ""] = urls.map((url) => new URL(url).host);
    await using prometheus = await startPrometheus({
      dashboard: [dashboardAt],
      "stream-processor": [processorAt],
      producer: [producerAt],
    });
    const page = openPage(`http://${dashboardAt}`, "machine-01");
    try {
      await waitFor("a page with data", () => page.newestMs > 0);
      await waitFor(
        "all three services",
        async () => (await prometheus.valuesOf("up == 1")).length === 3,
        LONG,
      );
      expect(await prometheus.firing()).toEqual([]);

      await sendBadRecord(plant.brokers, plant.topics.sensor);
      const panels = deployedQueries().filter(
        ({ kind, query }) => kind === "panel" && !OF_STORES.test(query),
      );
      expect(panels.length).toBeGreaterThan(20);
      let silent: string[] = [];
      const allTell = async () => {
        const answers = await Promise.all(panels.map(({ query }) => prometheus.valuesOf(query)));
        silent = panels.flatMap(({ of, query }, i) => (answers[i]?.length === 0 ? [`${of}: ${query}`] : []));
        return silent.length === 0;
      };
      await waitFor("data for every panel", allTell, LONG).catch(() => {});
      expect(silent).toEqual([]);

      const firing = (name: string) => async () => (await prometheus.firing()).includes(name);
      await waitFor("the alert of the dead letter", firing("KelvinDeadLetters"), LONG);
      await processor.kill();
      await waitFor("the alert that no processor runs", firing("KelvinNoProcessor"), LONG);
      await waitFor("the alert that one is down", firing("KelvinServiceDown"), LONG);
      const rules = await prometheus.rules();
      const alerts = deployedQueries().filter(({ kind }) => kind === "alert");
      expect([...rules]).toEqual(alerts.map(({ of }) => [of, "ok"]));
    } finally {
      page.close();
    }
  },
);

async function sendBadRecord(brokers: readonly string[], topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ key: "machine-01", value: "no reading" }] });
  await producer.disconnect();
}
