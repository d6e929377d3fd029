/**
 * Runs a value through the nodes of a topology. Nothing leaves here: what it would do is gathered as effects, so that a
 * record that fails half-way has done nothing, and can be tried again.
 */
import { StreamsError } from "../errors.ts";
import type { OutgoingRecord } from "../ports.ts";
import { topicPart } from "../state/changelog.ts";
import { StateChanges } from "../state/state-changes.ts";
import type { Store } from "../state/store.ts";
import { titleOf } from "../topology/describe.ts";
import type {
  ArmNode,
  GroupByNode,
  Node,
  RecordContext,
  StatefulNode,
  ToChosenTopicNode,
  WindowNode,
} from "../topology/nodes.ts";
import { ORIGIN_HEADER } from "../topology/repartition.ts";
import { StepFault } from "./faults.ts";
import { originOf } from "./origins.ts";
import type { Turn } from "./turn.ts";

/** What a value does on its way. */
export interface Effects {
  readonly out: OutgoingRecord[];
  readonly windows: WindowInput[];
  readonly prints: { readonly label: string; readonly value: unknown; readonly context: RecordContext }[];
  readonly states: StateChanges;
}

export function noEffects(stores: ReadonlyMap<string, Store>): Effects {
  return { out: [], windows: [], prints: [], states: new StateChanges(stores) };
}

/** What came to a window of one record: more than one value behind `flatMap`, or where several ways lead to it. */
export interface WindowInput {
  readonly node: WindowNode;
  readonly values: unknown[];
  readonly context: RecordContext;
}

export interface EvaluateOptions {
  /** Of a source's record, or of a window's result: grows with its position, and is the same when it is produced again. */
  readonly sequence?: number;
  /** Of a window's result: the window, and the result's place among those with the same sequence. */
  readonly stream?: string;
  readonly ordinal?: number;
  /** Of a record that was begun before its turn. */
  readonly turn?: Turn;
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
  switch (node.kind) {
    case "apply":
    case "applyAsync":
      return goOn(node, called(node, value, context), context, effects, options);
    case "stateful":
      return withState(node, value, context, effects, options);
    case "flatMap": {
      const values = called(node, value, context);
      return whenDone(values, (list) => {
        const each = (one: unknown) => evaluate(node.next, one, context, effects, options);
        return inTurn(
          guarded(node, () => listOf(list)),
          each,
        );
      });
    }
    case "filter": {
      const keep = called(node, value, context);
      if (keep instanceof Promise)
        return keep.then((kept) =>
          kept === true ? goOn(node, value, context, effects, options) : undefined,
        );
      return keep === true ? evaluate(node.next, value, context, effects, options) : undefined;
    }
    case "update": {
      const work = () =>
        whenDone(called(node, value, context), () => evaluate(node.next, value, context, effects, options));
      return inItsTurn(options, work);
    }
    case "branch":
      return evaluate(armOf(node.next, value, context)?.next ?? [], value, context, effects, options);
    case "arm":
    case "merge":
      return evaluate(node.next, value, context, effects, options);
    case "print":
      effects.prints.push({ label: node.label, value, context });
      return evaluate(node.next, value, context, effects, options);
    case "toTopic":
    case "toChosenTopic":
      effects.out.push(written(node, value, context));
      return evaluate(node.next, value, context, effects, options);
    case "groupBy":
      effects.out.push(guarded(node, () => regrouped(node, value, context, effects, options)));
      return;
    case "window":
      return intoWindow(node, value, context, effects);
  }
}

/** Goes on with what a function returned, at once where it can: a closure for each node would cost as much as the node. */
function goOn(
  node: Node,
  result: unknown,
  context: RecordContext,
  effects: Effects,
  options: EvaluateOptions,
): void | Promise<void> {
  if (!(result instanceof Promise)) return evaluate(node.next, result, context, effects, options);
  return result.then((value) => evaluate(node.next, value, context, effects, options));
}

function withState(
  node: StatefulNode,
  value: unknown,
  context: RecordContext,
  effects: Effects,
  options: EvaluateOptions,
): void | Promise<void> {
  const run = () => node.run(value, effects.states.of(node.store, context), context);
  const work = () => goOn(node, calledBy(node, run), context, effects, options);
  // It reads what all records before it have changed.
  return options.turn === undefined || options.turn.isOpen ? work() : options.turn.come.then(work);
}

function intoWindow(node: WindowNode, value: unknown, context: RecordContext, effects: Effects): void {
  const known = effects.windows.find((input) => input.node === node);
  if (known === undefined) effects.windows.push({ node, values: [value], context });
  else known.values.push(value);
}

/** Calls a function of the user; what it throws names the step. */
function called(node: CallingNode, value: unknown, context: RecordContext): unknown {
  let result: unknown;
  try {
    result = node.run(value, context);
  } catch (error) {
    throw faultOf(node, error);
  }
  return result instanceof Promise ? namingItsStep(node, result) : result;
}

function calledBy(node: Node, run: () => unknown): unknown {
  const result = guarded(node, run);
  return result instanceof Promise ? namingItsStep(node, result) : result;
}

function namingItsStep(node: Node, result: Promise<unknown>): Promise<unknown> {
  return result.catch((error: unknown) => {
    throw faultOf(node, error);
  });
}

function guarded<R>(node: Node, work: () => R): R {
  try {
    return work();
  } catch (error) {
    throw faultOf(node, error);
  }
}

function faultOf(node: Node, error: unknown): StepFault {
  return new StepFault(titleOf(node), "policy" in node ? node.policy : {}, error);
}

type CallingNode = Exclude<Extract<Node, { run: unknown }>, StatefulNode>;

function inItsTurn({ turn }: EvaluateOptions, work: () => void | Promise<void>): void | Promise<void> {
  return turn === undefined || turn.isInOrder ? work() : turn.come.then(work);
}

function whenDone(result: unknown, then: (value: unknown) => void | Promise<void>): void | Promise<void> {
  return result instanceof Promise ? result.then(then) : then(result);
}

/** One after another; waits only where it has to. */
function inTurn(
  values: readonly unknown[],
  work: (value: unknown) => void | Promise<void>,
  from = 0,
): void | Promise<void> {
  for (let i = from; i < values.length; i++) {
    const done = work(values[i]);
    if (done !== undefined) return done.then(() => inTurn(values, work, i + 1));
  }
}

function listOf(values: unknown): readonly unknown[] {
  if (typeof values === "object" && values !== null && isIterable(values)) return [...values];
  throw new StreamsError(
    "STREAMS_BAD_OPTION",
    `The function given to flatMap returned ${values === null ? "null" : typeof values}; it must return an array.`,
  );
}

function isIterable(values: object): values is Iterable<unknown> {
  return Symbol.iterator in values;
}

/** The first arm that takes the value. */
function armOf(arms: readonly ArmNode[], value: unknown, context: RecordContext): ArmNode | undefined {
  return arms.find((arm) => called(arm, value, context) === true);
}

function keyOf(node: GroupByNode, value: unknown, context: RecordContext): string {
  const key = node.run(value, context);
  if (typeof key === "string") return key;
  throw new StreamsError(
    "STREAMS_BAD_OPTION",
    `The function given to groupBy "${node.name}" returned ${key === null ? "null" : typeof key}; it must return a string.`,
  );
}

function chosen(node: ToChosenTopicNode, value: unknown, context: RecordContext): Sink {
  const topic = node.choose(value, context);
  // Known from here on, so that it is made should it be missing.
  if (!node.topics.has(topic.name)) node.topics.set(topic.name, topic);
  return topic;
}

type Sink = Extract<Node, { kind: "toTopic" }>["topic"];

/** Where it comes from goes with it: what is written again after a crash is known by that. */
function regrouped(
  node: GroupByNode,
  value: unknown,
  context: RecordContext,
  { out }: Effects,
  { sequence, stream, ordinal = 0 }: EvaluateOptions,
): OutgoingRecord {
  const topic = stream === undefined ? context.topic : streamName(stream);
  const index = ordinal * OF_ONE_RESULT + out.length;
  const origin =
    sequence === undefined ? {} : { [ORIGIN_HEADER]: originOf({ ...context, topic }, sequence, index) };
  return {
    topic: node.topic.name,
    key: keyOf(node, value, context),
    value: node.topic.encode(value),
    timestampMs: context.timestampMs,
    headers: { ...context.headers, ...origin },
  };
}

/** More records than one result becomes. */
const OF_ONE_RESULT = 2 ** 20;

/** No topic is called so. */
function streamName(window: string): string {
  return `:${topicPart(window)}`;
}

function written(
  node: Extract<Node, { kind: "toTopic" | "toChosenTopic" }>,
  value: unknown,
  context: RecordContext,
): OutgoingRecord {
  try {
    return recordFor(node.kind === "toTopic" ? node.topic : chosen(node, value, context), value, context);
  } catch (error) {
    throw faultOf(node, error);
  }
}

function recordFor(topic: Sink, value: unknown, context: RecordContext): OutgoingRecord {
  return {
    topic: topic.name,
    key: topic.key(value),
    value: topic.encode(value),
    timestampMs: topic.eventTimeMs(value, context.timestampMs),
    headers: context.headers,
  };
}
