/**
 * `pnpm fuzz -- --minutes N --seed S`: rounds of frames that no client would send (src/testing/fuzz.ts), by default a minute of
 * them from a random seed on. Each round is a seed's; the one that fails is printed, and comes again by
 * `pnpm fuzz -- --seed S --rounds 1`. Ends non-zero when one has failed; the last line is "N passed, N failed, N skipped".
 */
import { parseArgs } from "node:util";
import { FuzzError, fuzzRound } from "../src/testing/fuzz.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Math.trunc(Math.random() * 2 ** 31)) },
    rounds: { type: "string", default: "Infinity" },
  },
});
const [minutes, first, rounds] = [Number(values.minutes), Number(values.seed), Number(values.rounds)];
if (!(minutes > 0) || !Number.isSafeInteger(first) || !(rounds > 0)) {
  console.error("pnpm fuzz -- [--minutes N] [--seed whole number] [--rounds N]");
  process.exit(2);
}
console.log(
  `From seed ${first} on, for ${rounds === Number.POSITIVE_INFINITY ? `${minutes} min` : `${rounds} rounds`}.`,
);

let running = first;
/** What nobody caught is the running round's. */
const escaped = (error: unknown) => {
  console.error(new FuzzError(running, "an error that nobody caught", { cause: error }));
  console.log(`${running - first} passed, 1 failed, 0 skipped`);
  process.exit(1);
};
process.on("uncaughtException", escaped);
process.on("unhandledRejection", escaped);

const endMs = performance.now() + minutes * 60_000;
let frames = 0;
let failed = 0;
for (; running < first + rounds && performance.now() < endMs; running++) {
  try {
    frames += await fuzzRound(running);
  } catch (error) {
    failed += 1;
    console.error(error instanceof FuzzError ? error.message : error);
    console.error(`Again: pnpm fuzz -- --seed ${running} --rounds 1`);
  }
}
const heapMb = Math.round(process.memoryUsage().heapUsed / 1e6);
console.log(`${running - first} rounds, ${frames} frames, ${heapMb} MB in use.`);
console.log(`${running - first - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 ? 1 : 0);
