/** Goals and values side by side. A bench prints them; what it gates on is counts and bytes, not times. */
import { table } from "../tools/people/table.ts";

export interface Goal {
  readonly what: string;
  /** At most this much; at least this much where `isAtLeast` says so. */
  readonly must: number;
  readonly aim: number;
  readonly value: number;
  readonly unit: string;
  /** More is better. */
  readonly isAtLeast?: boolean;
  /** True: this one holds on any machine, and the bench fails where it is not met. */
  readonly isGate?: boolean;
  /** Why the value says nothing here: it is told, and neither met nor missed. */
  readonly notJudged?: string;
}

/** Prints the table and says by the exit code whether every gate holds. */
export function report(goals: readonly Goal[]): void {
  const rows = goals.map((goal) => [
    goal.what,
    rounded(goal.value, goal.unit),
    rounded(goal.must, goal.unit),
    rounded(goal.aim, goal.unit),
    verdictOn(goal),
    goal.isGate && goal.notJudged === undefined ? "gate" : "",
  ]);
  console.log(`\n${table(["", "value", "must", "aim", "", ""], rows)}`);
  if (missedGates(goals).length > 0) process.exitCode = 1;
}

/** Those that hold on any machine and do not hold here, in words. */
export function missedGates(goals: readonly Goal[]): string[] {
  return goals
    .filter((goal) => goal.isGate && goal.notJudged === undefined && !isMet(goal, goal.must))
    .map(({ what, value, must, unit }) => `${what}: ${rounded(value, unit)}, must be ${rounded(must, unit)}`);
}

function verdictOn(goal: Goal): string {
  if (goal.notJudged !== undefined) return `not judged: ${goal.notJudged}`;
  if (isMet(goal, goal.aim)) return "aim met";
  return isMet(goal, goal.must) ? "must met" : "MISSED";
}

function isMet({ value, isAtLeast = false }: Goal, limit: number): boolean {
  return isAtLeast ? value >= limit : value <= limit;
}

export const rounded = (value: number, unit: string) => `${Number(value.toPrecision(3))} ${unit}`;

/** The value below which a share of the samples lies, 0.5 for the median. NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The slope of a line through points, by least squares. */
export function slope(points: readonly { x: number; y: number }[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map((point) => point.x));
  const y = mean(points.map((point) => point.y));
  const covariance = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  return covariance / points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
}
