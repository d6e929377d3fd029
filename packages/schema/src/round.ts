/**
 * What the topics mean by 2 decimals: rounds half away from zero to 2 decimals, as people do: 1.005 becomes 1.01 though its
 * double is a little less.
 */
export function round2(value: number): number {
  const rounded = Math.round(Math.abs(value) * 100 * (1 + Number.EPSILON)) / 100;
  return value < 0 && rounded !== 0 ? -rounded : rounded;
}
