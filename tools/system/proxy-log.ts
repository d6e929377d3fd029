/** Vite's log, without a stack for each request of the page that its server does not answer. */
import type { LogErrorOptions, Logger } from "vite";

/** The page asks again all the time: what comes within so long of the last is of the same outage. */
const SAME_OUTAGE_MS = 5_000;
/** What a connection to a server that is gone, or not there yet, ends with. */
const GONE: readonly unknown[] = ["ECONNREFUSED", "ECONNRESET", "EPIPE"];

/**
 * Makes one line of an outage of the server behind the proxy, and leaves every other error as it is.
 *
 * @param logger is changed, and given back
 * @param nowMs milliseconds of a clock that only goes forward
 */
export function withoutStacksOfOutages(logger: Logger, nowMs: () => number): Logger {
  const tell = logger.error.bind(logger);
  let lastMs = Number.NEGATIVE_INFINITY;
  logger.error = (message: string, options?: LogErrorOptions) => {
    const code = codeOf(options?.error);
    if (!GONE.includes(code)) return tell(message, options);
    const isNew = nowMs() - lastMs > SAME_OUTAGE_MS;
    lastMs = nowMs();
    if (isNew) logger.warn(`the dashboard's server does not answer (${String(code)}); the page retries`);
  };
  return logger;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
