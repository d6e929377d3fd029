/**
 * Runs a value through the nodes of a topology. Nothing leaves here: what it would do is gathered as effects, so that a
 * record that fails half-way has done nothing, and can be tried again.
 */
import type { OutgoingRecord } from "../ports.ts";
import type { Node, RecordContext, WindowNode } from "../topology/nodes.ts";

/** What a value does on its way. */
export interface Effects {
  readonly out: OutgoingRecord[];
  readonly windows: {
    readonly node: WindowNode;
    readonly value: unknown;
    readonly context: RecordContext;
  }[];
  readonly prints: { readonly label: string; readonly value: unknown; readonly context: RecordContext }[];
}

export interface EvaluateOptions {
  /** Leaves out side effects and writes: for records that were worked on before. */
  readonly isRebuild: boolean;
}

/** Throws, or rejects, with what a user's function threw. Synchronous as long as the user's functions are. */
export function evaluate(
  nodes: readonly Node[],
  value: unknown,
  context: RecordContext,
  effects: Effects,
  options: EvaluateOptions,
  from = 0,
): void | Promise<void> {
  for (let i = from; i < nodes.length; i++) {
    const node = nodes[i];
    if (node === undefined) continue;
    const done = visit(node, value, context, effects, options);
    if (done !== undefined) return done.then(() => evaluate(nodes, value, context, effects, options, i + 1));
  }
}

function visit(
  node: Node,
  value: unknown,
  context: RecordContext,
  effects: Effects,
  options: EvaluateOptions,
): void | Promise<void> {
  const goOn = (next: unknown) => evaluate(node.next, next, context, effects, options);
  switch (node.kind) {
    case "apply":
      return whenDone(node.run(value, context), goOn);
    case "filter":
      return whenDone(node.run(value, context), (keep) => (keep === true ? goOn(value) : undefined));
    case "update":
      if (options.isRebuild) return goOn(value);
      return whenDone(node.run(value, context), () => goOn(value));
    case "print":
      effects.prints.push({ label: node.label, value, context });
      return goOn(value);
    case "toTopic":
      if (!options.isRebuild) effects.out.push(recordFor(node.topic, value, context));
      return goOn(value);
    case "window":
      effects.windows.push({ node, value, context });
      return;
  }
}

function whenDone(result: unknown, then: (value: unknown) => void | Promise<void>): void | Promise<void> {
  return result instanceof Promise ? result.then(then) : then(result);
}

type Sink = Extract<Node, { kind: "toTopic" }>["topic"];

function recordFor(topic: Sink, value: unknown, context: RecordContext): OutgoingRecord {
  return {
    topic: topic.name,
    key: topic.key(value),
    value: topic.encode(value),
    timestampMs: topic.eventTimeMs(value, context.timestampMs),
    headers: context.headers,
  };
}
