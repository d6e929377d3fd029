/** What both programs under test are told, and what they answer: what they have cost so far. */
import * as z from "zod";

const Job = z.object({
  broker: z.string(),
  /** Group and name of the program. */
  name: z.string(),
  workload: z.enum(["W1", "W2"]),
  guarantee: z.enum(["at-least-once", "exactly-once"]),
  /** The library's default without it. */
  commitEveryMs: z.number().optional(),
  input: z.string(),
  output: z.string(),
});

export type Job = z.infer<typeof Job>;

export const Cost = z.object({ cpuMs: z.number(), residentMib: z.number() });

/** The job on the command line. The process ends with whoever started it; told to, it stops in order. */
export function jobOf(stop: () => void = () => process.exit()): Job {
  process.on("message", (message) => {
    if (message === "stop") return stop();
    const { user, system } = process.cpuUsage();
    // Kilobytes, as of getrusage.
    const residentMib = process.resourceUsage().maxRSS / 1_024;
    process.send?.({ cpuMs: (user + system) / 1_000, residentMib });
  });
  process.once("disconnect", () => process.exit());
  return Job.parse(JSON.parse(process.argv[2] ?? ""));
}
