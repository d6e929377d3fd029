import { expect, test } from "vitest";
import { WaitTimeoutError, waitFor } from "./wait-for.ts";

test("gives the first answer that is one", async () => {
  const answers = [undefined, false, null, 0];
  expect(await waitFor("a number", () => answers.shift(), { everyMs: 1 })).toBe(0);
});

test("a condition that throws is asked again, and its last error is told in the end", async () => {
  const refused = new TypeError("not yet");
  const wait = waitFor("a miracle", () => Promise.reject(refused), { timeoutMs: 20, everyMs: 1 });
  await expect(wait).rejects.toThrow(WaitTimeoutError);
  await expect(wait).rejects.toMatchObject({
    message: expect.stringContaining("20 ms waiting for a miracle"),
    cause: refused,
  });
});
