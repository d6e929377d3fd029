/** One of the programs under test as a process, on topics of its own. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { SERVICE_NODE_OPTIONS } from "@kelvin/service-kit";
import { createTopics, uniqueName } from "@kelvin/test-kit";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { PARTITIONS } from "./topics.ts";
import { Cost, type Job } from "./worker.ts";

/** What is measured: who does what. */
export interface Contestant {
  readonly name: string;
  readonly file: string;
  readonly workload: Job["workload"];
  readonly guarantee: Job["guarantee"];
  readonly commitEveryMs?: number;
  /** Those of the stream processor without them. */
  readonly nodeOptions?: readonly string[];
}

export const BARE: Contestant = {
  name: "bare kafkajs W1",
  file: "bare.ts",
  workload: "W1",
  guarantee: "at-least-once",
  nodeOptions: ["--max-semi-space-size=4"],
};

export const LIBRARY: readonly Contestant[] = [
  { name: "W1", file: "library.ts", workload: "W1", guarantee: "at-least-once" },
  { name: "W2", file: "library.ts", workload: "W2", guarantee: "at-least-once" },
  { name: "W1 exactly-once", file: "library.ts", workload: "W1", guarantee: "exactly-once" },
  { name: "W2 exactly-once", file: "library.ts", workload: "W2", guarantee: "exactly-once" },
];

/** W1 under each guarantee, committing so often. */
export function committing(everyMs: readonly number[]): Contestant[] {
  return (["at-least-once", "exactly-once"] as const).flatMap((guarantee) =>
    everyMs.map((commitEveryMs) => ({
      name: `W1 ${guarantee}, commits each ${commitEveryMs} ms`,
      file: "library.ts",
      workload: "W1",
      guarantee,
      commitEveryMs,
    })),
  );
}

export interface Running extends AsyncDisposable {
  readonly output: string;
  /** Of its processes so far: processor time together, memory of the largest. */
  cost(): Promise<{ readonly cpuMs: number; readonly residentMib: number }>;
  /** Kills it (SIGKILL), or has it stop in order, and starts it again as soon as it has ended. */
  restart(how: "kill" | "stop"): Promise<void>;
}

/**
 * Starts it; the clock of "from process start" runs from the call of `started` on.
 *
 * @param processes so many share its group; one of them is what is restarted
 */
export async function start(
  {
    file,
    workload,
    guarantee,
    commitEveryMs,
    nodeOptions = SERVICE_NODE_OPTIONS["stream-processor"],
  }: Contestant,
  admin: Admin,
  broker: string,
  input: string,
  { started = () => undefined, processes = 1 }: { started?: () => void; processes?: number } = {},
): Promise<Running> {
  const name = uniqueName("bench");
  await createTopics(admin, [{ topic: name, numPartitions: PARTITIONS }]);
  const job: Job = { broker, name, workload, guarantee, commitEveryMs, input, output: name };
  const launch = () =>
    fork(join(import.meta.dirname, file), [JSON.stringify(job)], {
      execArgv: ["--disable-warning=TimeoutNegativeWarning", ...nodeOptions, ...process.execArgv],
    });
  started();
  let child = launch();
  const others = Array.from({ length: processes - 1 }, launch);
  return {
    output: name,
    async cost() {
      const costs = await Promise.all([child, ...others].map(costOf));
      return {
        cpuMs: costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
        residentMib: Math.max(...costs.map(({ residentMib }) => residentMib)),
      };
    },
    async restart(how) {
      const ended = once(child, "exit");
      if (how === "kill") child.kill("SIGKILL");
      else child.send("stop");
      await ended;
      child = launch();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([child, ...others].map(end));
      await admin.deleteTopics({ topics: [name] });
    },
  };
}

async function costOf(child: ChildProcess) {
  const told = once(child, "message");
  child.send("cost");
  return Cost.parse((await told)[0]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.disconnect();
  await ended;
}

export function kafkaOf(broker: string): Kafka {
  return new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
}
