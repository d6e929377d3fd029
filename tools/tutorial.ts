/** `npm run tutorial -- <step>`: runs a step of docs/tutorial, until Ctrl-C. */
import { readdir } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readArguments } from "./people/arguments.ts";
import { ToolError } from "./supervise/errors.ts";

const STEPS = new URL("../docs/tutorial/", import.meta.url);

const HELP = `npm run tutorial -- <step>      Runs a step of docs/tutorial on the Kafka at KAFKA_BROKERS (localhost:9092).

  --live            the step replaces the system's own pipeline: it writes the system's topics, as its consumer group

Steps with code:`;

try {
  const steps = await codeSteps();
  const help = `${HELP}\n${[...steps.values()].map((file) => `  ${file}\n`).join("")}`;
  const { values, positionals } = readArguments(help, ["step"], { live: { type: "boolean" } });
  const file = steps.get(positionals[0] ?? "");
  if (file === undefined)
    throw new ToolError(`Step ${positionals[0]} has no code to run.\n\n${help}`, { exitCode: 2 });
  if (values.live === true) process.env.TUTORIAL_LIVE = "true";
  await import(new URL(file, pathToFileURL(fileURLToPath(STEPS))).href);
} catch (error) {
  if (!(error instanceof ToolError)) throw error;
  console[error.exitCode === 0 ? "log" : "error"](error.message);
  process.exitCode = error.exitCode;
}

/** The steps that are programs, by their number: 1-print.ts and so on. */
async function codeSteps(): Promise<Map<string, string>> {
  const files = (await readdir(STEPS)).filter((file) => /^\d+-[a-z-]+\.ts$/.test(file)).toSorted();
  return new Map(files.map((file) => [file.slice(0, file.indexOf("-")), file]));
}
