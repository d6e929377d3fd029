/** What viewers cost the server, by counts, bytes and processor time: what `npm run bench -- dashboard` gates on. */
import { expect, test } from "vitest";
import { missedGates } from "../goals.ts";
import { gatesOf, startFanOut } from "./fan-out.ts";

const VIEWERS = 200;
const FLOW = { perSecond: 500, devices: 1 };
const LASTS_MS = 4_000;

test("frames, bytes and processor time for 200 viewers of 500 readings/s stay within their bounds", {
  timeout: 180_000,
}, async () => {
  await using fanOut = await startFanOut(FLOW);
  await fanOut.tell({ do: "open", count: VIEWERS });
  const all = await fanOut.measured(LASTS_MS);
  await fanOut.tell({ do: "close" });
  const alone = await fanOut.measured(LASTS_MS);
  const gates = gatesOf(all, alone, FLOW);
  expect(missedGates(gates)).toEqual([]);
  expect(gates.filter(({ isGate, notJudged }) => isGate && notJudged === undefined)).toHaveLength(5);
  expect(alone.frames).toBe(0);
  // There was something to judge: each viewer was told nearly all readings of that time.
  expect(all.batches).toBeGreaterThan(VIEWERS * 5);
  expect(all.readings / VIEWERS).toBeGreaterThan((FLOW.perSecond * LASTS_MS) / 1_000 / 2);
});
