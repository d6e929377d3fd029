/**
 * The topology as a value: what the runtime, the test driver and `describe` share.
 *
 * Inside, values are `unknown`; the data frame, which is the only one to make nodes, has checked that they fit together.
 * The functions are declared as methods so that a function of a known type fits.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import type { TopicLike } from "../ports.ts";
import type { StepPolicy } from "./step.ts";

/** Where a value comes from; for a window's result, the record that made it due. */
export interface RecordContext {
  readonly topic: string;
  readonly partition: number;
  /** Of the current record, or of the last one before a window's result. */
  readonly offset: number;
  /** The value's key, as its topic defines it, or the window's key. */
  readonly key: string;
  /** Event time, or a window's end, in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}

export interface SourceNode {
  readonly kind: "source";
  readonly topic: TopicLike<unknown>;
  /** Of a repartition topic: the key is the record's own, and it is read from its beginning. */
  readonly repartition?: Repartition;
  readonly next: Node[];
}

/** Where the records of a repartition topic come from. */
export interface Repartition {
  /** The name that the author of `groupBy` gave it. */
  readonly name: string;
  /** The topics whose records become records of this one. */
  readonly upstream: readonly string[];
}

/** One that calls a function of the user. */
interface FunctionNode {
  /** For people; empty where there is none to be had. */
  readonly name: string;
  /** Where its function throws. */
  readonly policy: StepPolicy;
  run(value: unknown, context: RecordContext): unknown;
  readonly next: Node[];
}

export interface ApplyNode extends FunctionNode {
  readonly kind: "apply";
}

/** Its function may run for so many records at once. */
export interface ApplyAsyncNode extends FunctionNode {
  readonly kind: "applyAsync";
  readonly concurrency: number;
}

/** A keyed store, one value for each record key. Its author's name makes its changelog `<app>-<name>-changelog`. */
export interface StoreDefinition {
  readonly name: string;
  /** In event time since the last `set`, milliseconds; undefined: for ever. */
  readonly ttlMs: number | undefined;
}

/** The value that a store keeps for the key of the record in work. A try of the record that fails has changed nothing. */
export interface KeyState<S> {
  /** A copy of the value; undefined if there is none, or it has expired. */
  get(): S | undefined;
  /** Must survive `JSON.stringify` and `JSON.parse`. */
  set(value: S): void;
  delete(): void;
}

/** One whose function has the state of the record's key. */
export interface StatefulNode {
  readonly kind: "stateful";
  /** For people. */
  readonly name: string;
  readonly store: StoreDefinition;
  /** Where its function throws. */
  readonly policy: StepPolicy;
  run(value: unknown, state: KeyState<unknown>, context: RecordContext): unknown;
  readonly next: Node[];
}

/** Its function returns any number of values. */
export interface FlatMapNode extends FunctionNode {
  readonly kind: "flatMap";
}

export interface FilterNode extends FunctionNode {
  readonly kind: "filter";
}

export interface UpdateNode extends FunctionNode {
  readonly kind: "update";
}

/** A value continues in the first arm that accepts it. */
export interface BranchNode {
  readonly kind: "branch";
  readonly next: ArmNode[];
}

export interface ArmNode extends FunctionNode {
  readonly kind: "arm";
}

/** Has more than one parent. */
export interface MergeNode {
  readonly kind: "merge";
  readonly next: Node[];
}

/** Its function returns the key under which a value continues through a topic of the app's own. */
export interface GroupByNode extends FunctionNode {
  readonly kind: "groupBy";
  readonly topic: TopicLike<unknown>;
}

export interface PrintNode {
  readonly kind: "print";
  readonly label: string;
  readonly next: Node[];
}

export interface ToTopicNode {
  readonly kind: "toTopic";
  readonly topic: TopicLike<unknown>;
  readonly next: Node[];
}

/** To a topic that a function chooses for each value. */
export interface ToChosenTopicNode {
  readonly kind: "toChosenTopic";
  readonly name: string;
  readonly policy: StepPolicy;
  choose(value: unknown, context: RecordContext): TopicLike<unknown>;
  /** Those it is known to choose, and those it has chosen so far: they have to be there. */
  readonly topics: Map<string, TopicLike<unknown>>;
  readonly next: Node[];
}

/** All in milliseconds. */
export interface TrailingWindowShape {
  readonly sizeMs: number;
  readonly everyMs: number;
  readonly idleAfterMs: number;
  readonly allowedLatenessMs: number;
  readonly maxFutureMs: number;
}

/** When a window is told: once it is closed, or with each record that changes it. */
export type WindowTells = "final" | "current";

interface ClosingWindowShape {
  readonly tells: WindowTells;
  /** How long after a window's end records of it still count. */
  readonly graceMs: number;
  readonly idleAfterMs: number;
  readonly maxFutureMs: number;
}

/** Tumbling where `everyMs` is `sizeMs`. */
export interface HoppingWindowShape extends ClosingWindowShape {
  readonly kind: "hopping";
  readonly sizeMs: number;
  readonly everyMs: number;
}

export interface SlidingWindowShape extends ClosingWindowShape {
  readonly kind: "sliding";
  readonly differenceMs: number;
}

export interface SessionWindowShape extends ClosingWindowShape {
  readonly kind: "session";
  readonly gapMs: number;
}

export type WindowShape =
  | ({ readonly kind: "trailing" } & TrailingWindowShape)
  | HoppingWindowShape
  | SlidingWindowShape
  | SessionWindowShape;

export interface WindowNode {
  readonly kind: "window";
  /** Names its state; unique in an app. */
  readonly name: string;
  readonly shape: WindowShape;
  readonly aggregates: Aggregates<unknown>;
  readonly next: Node[];
}

export type Node =
  | ApplyNode
  | ApplyAsyncNode
  | StatefulNode
  | FlatMapNode
  | FilterNode
  | UpdateNode
  | BranchNode
  | ArmNode
  | MergeNode
  | GroupByNode
  | PrintNode
  | ToTopicNode
  | ToChosenTopicNode
  | WindowNode;

export interface Topology {
  readonly name: string;
  readonly sources: readonly SourceNode[];
}

/** All nodes under a source or another node, each once, parents before children. */
export function* nodesOf(above: { readonly next: readonly Node[] }): Generator<Node> {
  const seen = new Set<Node>();
  const open: Node[] = [...above.next];
  for (let node = open.shift(); node !== undefined; node = open.shift()) {
    if (seen.has(node)) continue;
    seen.add(node);
    yield node;
    open.unshift(...node.next);
  }
}

export function windowsOf(source: SourceNode): WindowNode[] {
  return [...nodesOf(source)].filter((node) => node.kind === "window");
}

/** The topics in which a node's output continues under another key, each once. */
export function regroupedTo(above: { readonly next: readonly Node[] }): string[] {
  const groupings = [...nodesOf(above)].filter((node) => node.kind === "groupBy");
  return [...new Set(groupings.map(({ topic }) => topic.name))];
}

/** The stores of a source, each once. */
export function storesOf(source: SourceNode): StoreDefinition[] {
  const stores = new Map<string, StoreDefinition>();
  for (const node of nodesOf(source)) if (node.kind === "stateful") stores.set(node.store.name, node.store);
  return [...stores.values()];
}

/** For how many records of a partition functions may run at once. */
export function concurrencyOf(source: SourceNode): number {
  const each = [...nodesOf(source)].map((node) => (node.kind === "applyAsync" ? node.concurrency : 1));
  return Math.max(1, ...each);
}

/** The topics that a topology writes, each once, those between its own parts included. */
export function sinkTopicsOf(topology: Topology): TopicLike<unknown>[] {
  const topics = new Map<string, TopicLike<unknown>>();
  for (const source of topology.sources) {
    for (const node of nodesOf(source)) {
      if (node.kind === "toTopic" || node.kind === "groupBy") topics.set(node.topic.name, node.topic);
      if (node.kind === "toChosenTopic") for (const [name, topic] of node.topics) topics.set(name, topic);
    }
  }
  return [...topics.values()];
}

/** What its steps say for themselves of records that fail. */
export function policiesOf(topology: Topology): StepPolicy[] {
  const nodes = topology.sources.flatMap((source) => [...nodesOf(source)]);
  return nodes.flatMap((node) => ("policy" in node ? [node.policy] : []));
}
