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

export interface TrailingWindowNode {
  readonly kind: "trailingWindow";
  /** Names its state; unique in an app. */
  readonly name: string;
  readonly shape: TrailingWindowShape;
  readonly aggregates: Aggregates<unknown>;
  readonly next: Node[];
}

export type Node = ApplyNode | FilterNode | UpdateNode | PrintNode | ToTopicNode | TrailingWindowNode;

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

export function windowsOf(source: SourceNode): TrailingWindowNode[] {
  return [...nodesOf(source)].filter((node) => node.kind === "trailingWindow");
}

/** The topics that a topology writes, each once. */
export function sinkTopicsOf(topology: Topology): TopicLike<unknown>[] {
  const topics = new Map<string, TopicLike<unknown>>();
  for (const source of topology.sources) {
    for (const node of nodesOf(source)) if (node.kind === "toTopic") topics.set(node.topic.name, node.topic);
  }
  return [...topics.values()];
}
