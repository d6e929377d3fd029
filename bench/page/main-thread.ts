/** What the page's main thread did, by Chromium's own trace: script, layout and paint together. */
import type { Browser, Page } from "playwright-core";
import * as z from "zod";

/** A task of a thread, as Chromium's trace calls it; `dur` is its time in microseconds, `tdur` the processor's. */
const TASK = "ThreadControllerImpl::RunTask";
const TraceEvent = z.object({
  name: z.string(),
  pid: z.number(),
  tid: z.number(),
  dur: z.number().optional(),
  tdur: z.number().optional(),
  args: z.object({ name: z.string().optional() }).optional(),
});
type TraceEvent = z.output<typeof TraceEvent>;
const Trace = z.object({ traceEvents: z.array(TraceEvent) });

export interface MainThread {
  /** Processor time in all. */
  readonly cpuMs: number;
  /** The longest task by the wall clock, and by the processor's: where they differ much, the machine was busy elsewhere. */
  readonly longestMs: number;
  readonly longestCpuMs: number;
}

/** Runs `what`, and tells what it and the page did on the main threads of the browser meanwhile. */
export async function traced<T>(
  browser: Browser,
  page: Page,
  what: () => Promise<T>,
): Promise<MainThread & { result: T }> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  const result = await what();
  const { traceEvents } = Trace.parse(JSON.parse((await browser.stopTracing()).toString()));
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`;
  const isMain = ({ name, args }: TraceEvent) => name === "thread_name" && args?.name === "CrRendererMain";
  const main = new Set(traceEvents.filter(isMain).map(threadOf));
  const tasks = traceEvents.filter((event) => event.name === TASK && main.has(threadOf(event)));
  const sumOf = (lengths: number[]) => lengths.reduce((sum, length) => sum + length, 0);
  const greatest = (lengths: number[]) => lengths.reduce((most, length) => Math.max(most, length), 0);
  const cpu = tasks.map(({ tdur = 0 }) => tdur / 1000);
  return {
    result,
    cpuMs: sumOf(cpu),
    longestMs: greatest(tasks.map(({ dur = 0 }) => dur / 1000)),
    longestCpuMs: greatest(cpu),
  };
}
