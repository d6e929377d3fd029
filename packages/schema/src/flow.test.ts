import { expect, test } from "vitest";
import { KPIS, Kpi, PIPELINES } from "./index.ts";

test("a KPI that is shown is one that records may hold, and the other way about", () => {
  const ofRecords = Kpi.options.map(({ shape }) => ({ name: shape.name.value, unit: shape.unit.value }));
  expect(KPIS.map(({ name, unit }) => ({ name, unit }))).toEqual(ofRecords);
});

test("a KPI needs pipelines in the order of the flow: its own, and before it the one whose topic that reads", () => {
  for (const { needs } of KPIS) {
    const known = PIPELINES.filter(({ name }) => needs.includes(name));
    expect(known.map(({ name }) => name)).toEqual(needs);
    expect(known.map(({ reads }) => reads)).toEqual(["sensor", ...needs.slice(0, -1)]);
  }
});
