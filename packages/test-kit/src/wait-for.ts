import { setTimeout as sleep } from "node:timers/promises";

/** What was waited for did not come true in time; the condition's last error is its cause. */
export class WaitTimeoutError extends Error {
  override readonly name = "WaitTimeoutError";
}

/** How long a condition may take, and how often it is looked at. */
export interface WaitOptions {
  /** Default 30,000 ms: a consumer group's rebalance on a busy machine takes several seconds. */
  timeoutMs?: number;
  /** How long between two tries. Default 50 ms. */
  everyMs?: number;
}

/**
 * Asks until the answer is something other than undefined, null or false, and gives it.
 *
 * A condition that throws counts as "not yet"; its last error is the cause of the timeout's.
 *
 * @param what what is waited for, as the end of the sentence "timed out waiting for ...".
 * @throws WaitTimeoutError
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = 30_000, everyMs = 50 }: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadlineMs = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const answer = await condition();
      if (isGiven(answer)) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(everyMs);
  } while (performance.now() < deadlineMs);
  throw new WaitTimeoutError(`Timed out after ${timeoutMs} ms waiting for ${what}.`, { cause });
}

function isGiven<T>(answer: T): answer is Exclude<T, undefined | null | false> {
  return answer !== undefined && answer !== null && answer !== false;
}
