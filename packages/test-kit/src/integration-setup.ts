import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { brokersFromEnvironment } from "./kafka.ts";

const Started = z.object({ brokers: z.array(z.string()).min(1) });

/**
 * Runs once before the integration tests: without KAFKA_BROKERS they get one embedded broker for all of them.
 * The test processes inherit the variable.
 */
export default async function setUp(): Promise<() => Promise<void>> {
  if (brokersFromEnvironment() !== undefined) return async () => {};

  const child = fork(fileURLToPath(new URL("broker-process.ts", import.meta.url)), { stdio: "inherit" });
  const failed = once(child, "exit").then(([code]) => {
    throw new BrokerProcessError(
      `The embedded broker for the tests exited with code ${String(code)} before it answered.`,
    );
  });
  const [message] = await Promise.race([once(child, "message"), failed]);
  failed.catch(() => {}); // its later end is the regular one
  process.env["KAFKA_BROKERS"] = Started.parse(message).brokers.join(",");
  process.env["KELVIN_EMBEDDED_CLUSTER"] = "true";

  return async () => {
    delete process.env["KAFKA_BROKERS"];
    delete process.env["KELVIN_EMBEDDED_CLUSTER"];
    if (child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  };
}

class BrokerProcessError extends Error {
  override readonly name = "BrokerProcessError";
}
