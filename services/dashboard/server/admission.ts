/** Who may open a socket, and how many of them: origins, and limits in all and by address. */
import type { IncomingMessage } from "node:http";
import type { Clock, Log, Metrics } from "@kelvin/service-kit";
import { TokenBucket } from "./bucket.ts";
import { judgeOrigin, type Verdict } from "./origins.ts";
import { RecencyMap } from "./recency.ts";

/** Openings that one address may ask for: an office that comes to work behind one address, not a flood. */
const OPENINGS = { burst: 100, perSecond: 20 };
/** So many addresses are remembered; the one that asked longest ago makes way. */
const ADDRESSES_MAX = 10_000;

/** A refusal may be for now: then it is worth asking again a second later. */
export type OpeningVerdict = Verdict & { readonly isTooOften?: boolean };

export interface AdmissionOptions {
  readonly allowedOrigins: readonly string[];
  readonly maxClients: number;
  readonly maxClientsPerAddress: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A connection as engine.io sees it: from its first byte on, long before a page has said what it wants. */
export interface Connected {
  readonly remoteAddress: string;
  once(event: "close", listener: () => void): unknown;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #perAddress = new Map<string, number>();
  readonly #openings = new RecencyMap<TokenBucket>();
  #connected = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Asked before a connection is made. */
  judge(request: IncomingMessage): Verdict {
    const { log, metrics } = this.#options;
    const address = request.socket.remoteAddress ?? "";
    const verdict = this.#verdict(request, address);
    if (!verdict.ok) {
      metrics.count("kelvin_dashboard_refused_connections_total", "Connections refused.");
      log.debug({ address, why: verdict.why }, "connection refused");
    }
    return verdict;
  }

  /** Asked before a page is told by HTTP what its socket will tell: it costs as much, and leaves no socket to count. */
  judgeOpening(request: IncomingMessage): OpeningVerdict {
    const verdict = this.judge(request);
    if (!verdict.ok || this.#mayAsk(request.socket.remoteAddress ?? "")) return verdict;
    const { metrics } = this.#options;
    metrics.count("kelvin_dashboard_refused_openings_total", "Page loads refused because of the rate limit.");
    return {
      ok: false,
      why: "too many requests from this address: the page's socket has the same data",
      isTooOften: true,
    };
  }

  /** Counts a connection for as long as it is there, whether or not a page ever speaks through it. */
  enter(connected: Connected): void {
    const { remoteAddress: address } = connected;
    this.#connected += 1;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    connected.once("close", () => {
      this.#connected -= 1;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
  }

  #mayAsk(address: string): boolean {
    const nowMs = this.#options.clock.monotonic();
    const bucket = this.#openings.get(address) ?? new TokenBucket(OPENINGS, nowMs);
    this.#openings.touch(address, bucket);
    if (this.#openings.size > ADDRESSES_MAX) this.#openings.dropOldest();
    return bucket.take(nowMs);
  }

  #verdict(request: IncomingMessage, address: string): Verdict {
    const { allowedOrigins, maxClients, maxClientsPerAddress } = this.#options;
    if (this.#connected >= maxClients) {
      return { ok: false, why: "too many pages are connected. MAX_CLIENTS sets the limit." };
    }
    if ((this.#perAddress.get(address) ?? 0) >= maxClientsPerAddress) {
      const why = "too many pages are connected from this address. MAX_CLIENTS_PER_ADDRESS sets the limit.";
      return { ok: false, why };
    }
    return judgeOrigin(request, allowedOrigins);
  }
}
