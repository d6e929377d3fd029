/** The topology of the pipelines for people. Nothing runs, and no Kafka is asked. */
import { createStreamApp, type DescribeFormat, type Log } from "@kelvin/streams";
import type { Settings } from "../config.ts";
import { build, groupOf, topicsOf } from "../topology.ts";

/** Nothing is run, so nothing is to be said. */
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * The pipelines that the settings name, under the topics that they name. Text has a paragraph for each consumer group;
 * mermaid is one diagram, in which the pipelines meet at the topics.
 */
export function describePipelines(settings: Settings, format: DescribeFormat): string {
  const topics = topicsOf(settings);
  const app = (name: string) => createStreamApp({ name, kafka: { brokers: [] }, log: silent });
  if (format === "mermaid") {
    const all = app(settings.GROUP_PREFIX);
    for (const pipeline of settings.PIPELINES) build(pipeline, all, { topics, settings, log: silent });
    return all.describe(format);
  }
  return settings.PIPELINES.map((pipeline) => {
    const one = app(groupOf(pipeline, settings));
    build(pipeline, one, { topics, settings, log: silent });
    return one.describe(format);
  }).join("\n\n");
}
