/**
 * Faults on purpose: rules that say which requests meet with which accident. What chance there is comes from a seed, by
 * the number of the rule and of the request, so that a script of seed and rules brings the same faults again.
 */
import { randomInt } from "node:crypto";
import type { Log } from "../log-port.ts";
import type { Reply } from "../server/dispatch.ts";
import type { InterceptedCall, Interference, MaybeLater } from "../server/interference.ts";
import type { Clock } from "../time/clock.ts";
import { between, chance } from "./chance.ts";
import { fetchSessionOf, namedTopics } from "./named-topics.ts";
import { checkRule, type FaultAction, type FaultRule, type FaultScript } from "./rule.ts";
import { Waits } from "./waits.ts";

/** A fault that happened. */
export interface FaultEvent {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Which rule, in order of their adding, from 1. */
  readonly rule: number;
  /** Which of the requests that the rule matches, from 1; 0 where no request was needed. */
  readonly call: number;
  readonly brokerId: number | null;
  /** Null where no request was needed, as are the fields after it. */
  readonly api: string | null;
  readonly apiVersion: number | null;
  readonly clientId: string | null;
  readonly topics: readonly string[];
  /** With everything that was left to chance. */
  readonly fault: FaultAction;
}

/** A rule that was added. */
export interface AddedRule {
  /** In order of adding, from 1. */
  readonly number: number;
  /** How many requests it matched. */
  readonly calls: number;
  /** How often it happened. */
  readonly fired: number;
  /** It happens no more, and whatever it holds up continues. */
  remove(): void;
}

/** Faults of a running broker. */
export interface Faults {
  readonly seed: number;
  /** @throws FaultRuleError where the rule can't be. */
  add(rule: FaultRule): AddedRule;
  /** Removes all rules: whatever they hold up continues, and rules and requests count from 1 again. The log stays. */
  clear(): void;
  /** What happened, in order. */
  log(): readonly FaultEvent[];
  /** What `startBroker({ faults })` takes to do the same again. */
  script(): FaultScript;
  /** Script and log as text, to be shown where a test fails. */
  report(): string;
}

interface Rule extends FaultRule {
  readonly number: number;
  calls: number;
  fired: number;
}

interface Firing {
  readonly rule: Rule;
  /** Which of the rule's requests it is. */
  readonly number: number;
  readonly fault: FaultAction;
}

/** What the rules need to know of the broker. */
export interface FaultSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** Names of all APIs that are served. */
  readonly apis: readonly string[];
  readonly brokerIds: readonly number[];
  /** The name behind a topic's id. */
  topicName(id: string): string | undefined;
  /** The topics of a broker's fetch session, whose requests name only what changes. */
  topicsOfSession(brokerId: number, sessionId: number): readonly string[];
}

/** What chance is asked about one request. */
const HAPPENS = 0;
const VALUE = 1;

/** Seeds are short, as people copy them. */
const SEEDS = 1_000_000;
/** Of the log; the oldest go. */
const EVENTS_MAX = 10_000;

export class FaultRules implements Faults, Interference {
  readonly seed: number;
  readonly #around: FaultSurroundings;
  readonly #waits: Waits;
  #rules: Rule[] = [];
  /** All since the last clear, also those that were removed: their numbers are part of what chance says. */
  #script: FaultRule[] = [];
  readonly #events: FaultEvent[] = [];

  /** @throws FaultRuleError */
  constructor(surroundings: FaultSurroundings, { seed, rules = [] }: Partial<FaultScript> = {}) {
    this.#around = surroundings;
    this.#waits = new Waits(surroundings.clock);
    this.seed = seed ?? randomInt(SEEDS);
    for (const rule of rules) this.add(rule);
  }

  add(rule: FaultRule): AddedRule {
    const { apis, brokerIds, log } = this.#around;
    checkRule(rule, apis, brokerIds);
    this.#script.push(rule);
    const added: Rule = { ...rule, number: this.#script.length, calls: 0, fired: 0 };
    log.warn({ seed: this.seed, number: added.number, rule }, "fault rule added");
    if (added.do.kind === "pause-acceptance" && !needsRequest(rule)) {
      added.fired = 1;
      this.#happened({ rule: added, number: 0, fault: added.do }, null);
      this.#waits.pauseAcceptance(added.number, rule.on?.broker ?? null, added.do.ms);
    } else this.#rules.push(added);
    return {
      number: added.number,
      get calls() {
        return added.calls;
      },
      get fired() {
        return added.fired;
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== added);
        this.#waits.endOf(({ rule: number }) => number === added.number);
      },
    };
  }

  clear(): void {
    this.#rules = [];
    this.#script = [];
    this.#waits.endOf(() => true);
  }

  log(): readonly FaultEvent[] {
    return [...this.#events];
  }

  script(): FaultScript {
    return { seed: this.seed, rules: [...this.#script] };
  }

  report(): string {
    const events = this.#events.map(
      ({ rule, call, brokerId, api, clientId, topics, fault }) =>
        `  rule ${rule}, call ${call}: ${JSON.stringify(fault)} on ${api ?? "connections"} to broker ${brokerId ?? "any"}` +
        (api === null ? "" : ` by "${clientId}" about ${topics.join(", ") || "no topic"}`),
    );
    return [`faults: ${JSON.stringify(this.script())}`, ...events].join("\n");
  }

  // ------------------------------------------------------------------ in the way of requests

  acceptance(brokerId: number): Promise<void> | null {
    return this.#waits.acceptance(brokerId);
  }

  /** A broker stopped: what it was about to do, it will not do. */
  brokerStopped(brokerId: number): void {
    this.#waits.brokerStopped(brokerId);
  }

  /** All brokers stopped: no timer is left. */
  close(): void {
    this.#rules = [];
    this.#waits.close();
  }

  around(call: InterceptedCall, serve: () => MaybeLater<Reply>): MaybeLater<Reply> {
    if (this.#rules.length === 0) return serve();
    const topics = this.#topicsOf(call);
    const firing = this.#rules.flatMap((rule) => this.#firing(rule, call, topics) ?? []);
    const wrapped = firing.reduceRight<() => MaybeLater<Reply>>(
      (inner, one) => () => this.#apply(one, call, topics, inner),
      serve,
    );
    return wrapped();
  }

  #topicsOf({ brokerId, request }: InterceptedCall): string[] {
    const named = namedTopics(request, (id) => this.#around.topicName(id));
    const fetched = this.#around.topicsOfSession(brokerId, fetchSessionOf(request));
    return [...new Set([...named, ...fetched])];
  }

  #firing(rule: Rule, call: InterceptedCall, topics: readonly string[]): Firing | null {
    if (!matches(rule, call, topics)) return null;
    rule.calls += 1;
    const { call: first = 1, times = 1, probability = 1 } = rule;
    if (rule.calls < first || (times !== "always" && rule.fired >= times)) return null;
    if (chance(this.seed, rule.number, rule.calls, HAPPENS) >= probability) return null;
    rule.fired += 1;
    return { rule, number: rule.calls, fault: rule.do };
  }

  /** A whole number from `least` to `most` that is chance's for this request. */
  #any({ rule, number }: Firing, least: number, most: number): number {
    return between(chance(this.seed, rule.number, number, VALUE), least, most);
  }

  #happened(
    { rule, number, fault }: Firing,
    call: InterceptedCall | null,
    topics: readonly string[] = [],
  ): void {
    const event: FaultEvent = {
      atMs: this.#around.clock.now(),
      rule: rule.number,
      call: number,
      brokerId: call?.brokerId ?? rule.on?.broker ?? null,
      api: call?.api.name ?? null,
      apiVersion: call?.header.apiVersion ?? null,
      clientId: call?.header.clientId ?? null,
      topics,
      fault,
    };
    this.#events.push(event);
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
    this.#around.log.warn({ seed: this.seed, ...event }, "fault");
  }

  // ------------------------------------------------------------------ what happens

  #apply(
    firing: Firing,
    call: InterceptedCall,
    topics: readonly string[],
    serve: () => MaybeLater<Reply>,
  ): MaybeLater<Reply> {
    const { fault } = firing;
    const { wire, brokerId } = call;
    const of = { rule: firing.rule.number, brokerId };
    const tell = (decided: FaultAction) => this.#happened({ ...firing, fault: decided }, call, topics);
    switch (fault.kind) {
      case "drop":
        tell(fault);
        if (fault.when === "before") return dropped(wire);
        return after(serve(), () => dropped(wire));
      case "delay": {
        const ms = typeof fault.ms === "number" ? fault.ms : this.#any(firing, ...fault.ms);
        tell({ ...fault, ms });
        if (fault.when === "before") return this.#waits.pause(of, ms).then(serve);
        return after(serve(), (reply) => this.#waits.pause(of, ms).then(() => reply));
      }
      case "error":
        tell(fault);
        if (fault.when === "after") return after(serve(), (reply) => reply && call.refuse(fault.code));
        return call.refuse(fault.code);
      case "cut":
        return after(serve(), (reply) => {
          if (reply === null) return dropped(wire);
          const bytes = Buffer.concat(reply);
          const at = Math.min(fault.at ?? this.#any(firing, 0, bytes.length - 1), bytes.length);
          tell({ ...fault, at });
          wire.finish(bytes.subarray(0, at));
          return null;
        });
      case "corrupt":
        return after(serve(), (reply) => {
          if (reply === null) return null;
          const bytes = Buffer.concat(reply);
          const at = Math.min(fault.at ?? this.#any(firing, 0, bytes.length - 1), bytes.length - 1);
          tell({ ...fault, at });
          bytes[at] = (bytes[at] ?? 0) ^ 0xff;
          return [bytes];
        });
      case "split":
        tell(fault);
        return after(serve(), (reply) => reply && inPieces(wire, Buffer.concat(reply), fault.bytes ?? 1));
      case "stall":
        tell(fault);
        this.#waits.until(of, fault.ms, wire.stall());
        return serve();
      case "pause-acceptance":
        tell(fault);
        this.#waits.pauseAcceptance(firing.rule.number, brokerId, fault.ms);
        return serve();
    }
  }
}

function needsRequest({ on = {}, call }: FaultRule): boolean {
  return on.api !== undefined || on.clientId !== undefined || on.topic !== undefined || call !== undefined;
}

function matches({ on = {} }: FaultRule, call: InterceptedCall, topics: readonly string[]): boolean {
  const { api, clientId, broker, topic } = on;
  return (
    (api === undefined || api === call.api.name) &&
    (clientId === undefined || clientId === call.header.clientId) &&
    (broker === undefined || broker === call.brokerId) &&
    (topic === undefined || topics.includes(topic))
  );
}

function dropped(wire: InterceptedCall["wire"]): null {
  wire.close();
  return null;
}

async function inPieces(wire: InterceptedCall["wire"], bytes: Buffer, size: number): Promise<null> {
  for (let at = 0; at < bytes.length && !wire.closed; at += size) {
    await wire.write(bytes.subarray(at, at + size));
  }
  return null;
}

/** Goes on at once where there is nothing to wait for. */
function after<A, B>(value: MaybeLater<A>, then: (value: A) => MaybeLater<B>): MaybeLater<B> {
  return value instanceof Promise ? value.then(then) : then(value);
}
