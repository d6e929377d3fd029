/**
 * The topology as a value: what the runtime, the test driver and `describe` share.
 *
 * Inside, values are `unknown`; the data frame, which is the only one to make nodes, has checked that they fit together.
 * The functions are declared as methods so that a function of a known type fits.
 */
import type { Aggregates } from "../aggregates/aggregate.ts";
import type { TopicLike } from "../ports.ts";

/** Where a value comes from; for a window's result, the record that made it due. */
export interface RecordContext {
  readonly topic: string;
  readonly partition: number;
  /** Of the record in work, or of the last one before a window's result. */
  readonly offset: number;
  /** The topic's key of the value; a window's key. */
  readonly key: string;
  /** Event time in milliseconds since the epoch; a window's end. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string | Uint8Array>>;
}

export interface SourceNode {
  readonly kind: "source";
  readonly topic: TopicLike<unknown>;
  readonly next: Node[];
}

export interface ApplyNode {
  readonly kind: "apply";
  readonly name: string;
  run(value: unknown, context: RecordContext): unknown;
  readonly next: Node[];
}

export interface FilterNode {
  readonly kind: "filter";
  readonly name: string;
  run(value: unknown, context: RecordContext): unknown;
  readonly next: Node[];
}

export interface UpdateNode {
  readonly kind: "update";
  readonly name: string;
  run(value: unknown, context: RecordContext): unknown;
  readonly next: Node[];
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

export type Node = ApplyNode | FilterNode | UpdateNode | PrintNode | ToTopicNode | WindowNode;

export interface Topology {
  readonly name: string;
  readonly sources: readonly SourceNode[];
}

/** All nodes under a source, parents before children. */
export function* nodesOf(source: SourceNode): Generator<Node> {
  const open: Node[] = [...source.next];
  for (let node = open.shift(); node !== undefined; node = open.shift()) {
    yield node;
    open.unshift(...node.next);
  }
}

export function windowsOf(source: SourceNode): WindowNode[] {
  return [...nodesOf(source)].filter((node) => node.kind === "window");
}

/** The topics that a topology writes, each once. */
export function sinkTopicsOf(topology: Topology): TopicLike<unknown>[] {
  const topics = new Map<string, TopicLike<unknown>>();
  for (const source of topology.sources) {
    for (const node of nodesOf(source)) if (node.kind === "toTopic") topics.set(node.topic.name, node.topic);
  }
  return [...topics.values()];
}
