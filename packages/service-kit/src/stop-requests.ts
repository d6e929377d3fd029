/** The ways a process is asked to end, as one question. */
import { SUPERVISED, ToService } from "./parent.ts";

/** npm passes a Ctrl-C on that the terminal has given to everybody already: within this time it is the same one. */
const SAME_REQUEST_MS = 500;

/**
 * A signal that is aborted at the first request to end, with the request's name as reason:
 * SIGINT, SIGTERM, SIGHUP, the supervisor's message, or the supervisor's end.
 *
 * @param onImpatience called at a second signal, later than 500 ms after the first
 */
export function watchStopRequests(onImpatience: (why: string) => void): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const request = (why: string, isSignal: boolean) => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      controller.abort(why);
    } else if (isSignal && now - firstAt > SAME_REQUEST_MS) {
      onImpatience(why);
    }
  };
  const supervised = process.env[SUPERVISED] === "1" && process.connected === true;
  const onSignal = (signal: NodeJS.Signals) => {
    if (!(supervised && signal === "SIGINT" && process.connected)) request(signal, true);
  };
  const onMessage = (message: unknown) => {
    if (ToService.safeParse(message).success) request("the supervisor's request", false);
  };
  const onDisconnect = () => request("the parent process ended", false);
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  process.on("message", onMessage);
  process.on("disconnect", onDisconnect);
  return controller.signal;
}
