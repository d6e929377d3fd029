/** `npm run topology`: shows the pipelines as text, or as a mermaid diagram with `--format mermaid`. */
import { parseArgs } from "node:util";
import { readSettings, SettingsError } from "@kelvin/service-kit";
import * as z from "zod";
import { Settings } from "../config.ts";
import { describePipelines } from "./describe.ts";

const USAGE = `npm run topology -- [--format text|mermaid]      Shows the stream processor's pipelines; needs no Kafka.

Variables: PIPELINES, GROUP_PREFIX, SENSOR_TOPIC, ALERT_TOPIC, KPI_TOPIC, as for the stream processor.`;

const Format = z.enum(["text", "mermaid"]);

try {
  const { values } = parseArgs({
    options: { format: { type: "string", default: "text" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const settings = readSettings(process.env, z.object({}), Settings);
    console.log(describePipelines(settings, Format.parse(values.format)));
  }
} catch (error) {
  const isUsage = error instanceof TypeError || error instanceof z.ZodError;
  if (!(isUsage || error instanceof SettingsError)) throw error;
  console.error(isUsage ? USAGE : error.message);
  process.exitCode = 2;
}
