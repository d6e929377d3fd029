/** How a streaming data frame becomes nodes of a topology. */
import type { Aggregates } from "../aggregates/aggregate.ts";
import { TopologyError } from "../errors.ts";
import { isTopicPart } from "../state/changelog.ts";
import type {
  Branches,
  BranchPredicate,
  ChosenTopicOptions,
  ClosingWindow,
  StatefulOptions,
  StreamingDataFrame,
  TopicSink,
} from "./dataframe.ts";
import { milliseconds } from "./duration.ts";
import type { ArmNode, Node, RecordContext, SourceNode, WindowShape, WindowTells } from "./nodes.ts";
import { repartitionTopic, type ValueCodec } from "./repartition.ts";
import { type StepOptions, stepName, stepPolicy } from "./step.ts";
import { hoppingShape, sessionShape, slidingShape, stateNameOf, trailingShape } from "./window-shapes.ts";
import type { WindowOptions } from "./windows.ts";

/** What all data frames of an app share. */
export interface Blueprint {
  readonly app: string;
  /** Keeps the names of state unique. */
  readonly stateNames: Set<string>;
  /** @throws {TopologyError} where its topic is read already */
  addSource(source: SourceNode): void;
}

/** Where a data frame stands in the topology. */
interface Place {
  readonly blueprint: Blueprint;
  /** More than one behind a merge of topics. */
  readonly sources: readonly SourceNode[];
  readonly next: Node[];
  readonly isWindowed: boolean;
}

/** Where each data frame stands; a data frame itself shows nothing of it. */
const places = new WeakMap<object, Place>();

/** The data frame of a source. */
export function dataFrameOf<T>(source: SourceNode, blueprint: Blueprint): StreamingDataFrame<T> {
  return frame<T>({ blueprint, sources: [source], next: source.next, isWindowed: false });
}

function frame<T>(place: Place): StreamingDataFrame<T> {
  const add = <R>(node: Node, isWindowed = place.isWindowed): StreamingDataFrame<R> => {
    place.next.push(node);
    return frame<R>({ ...place, next: node.next, isWindowed });
  };
  function addWindow<R>(
    shape: WindowShape,
    aggregates: Aggregates<unknown>,
    given: string | undefined,
  ): StreamingDataFrame<R> {
    if (given !== undefined) mustFitTopicName("A window", given);
    const name = given ?? stateNameOf(namesOf(place), shape, aggregates);
    mustFitWindow(place, name);
    place.blueprint.stateNames.add(name);
    return add({ kind: "window", name, shape, aggregates, next: [] }, true);
  }
  function closing(shape: (tells: WindowTells) => WindowShape, { name }: WindowOptions): ClosingWindow<T> {
    return {
      aggregate: (aggregates) => ({
        final: () => addWindow(shape("final"), aggregates, name),
        current: () => addWindow(shape("current"), aggregates, name),
      }),
    };
  }
  function filter<S extends T>(keep: Keep<T, S>, options?: StepOptions): StreamingDataFrame<S>;
  function filter(
    keep: (value: T, context: RecordContext) => boolean | Promise<boolean>,
    options?: StepOptions,
  ): StreamingDataFrame<T>;
  function filter(
    keep: (value: T, context: RecordContext) => unknown,
    options: StepOptions = {},
  ): StreamingDataFrame<T> {
    return add({ kind: "filter", ...step(keep, options) });
  }
  const result: StreamingDataFrame<T> = {
    filter,
    apply: (transform, options = {}) => add({ kind: "apply", ...step(transform, options) }),
    applyAsync: (transform, options) =>
      add({
        kind: "applyAsync",
        concurrency: checkedConcurrency(options.concurrency),
        ...step(transform, options),
      }),
    applyStateful: (transform, options) => {
      const { store, ttl, ...rest }: StatefulOptions = options;
      mustFitStore(place, store);
      const ttlMs = ttl === undefined ? undefined : milliseconds(ttl);
      const node: Node = { kind: "stateful", store: { name: store, ttlMs }, ...step(transform, rest) };
      place.next.push(node);
      return frame({ ...place, next: node.next });
    },
    flatMap: (transform, options = {}) => add({ kind: "flatMap", ...step(transform, options) }),
    update: (effect, options = {}) => add({ kind: "update", ...step(effect, options) }),
    branch: (predicates) => branches(place, predicates),
    merge: (other) => merged(place, places.get(other)),
    groupBy: (key, options) => grouped<T>(place, key, options),
    print: (label = namesOf(place)) => add({ kind: "print", label, next: [] }),
    toTopic: (to: TopicSink<T> | Choose<T>, options: ChosenTopicOptions<T> = {}) =>
      add(typeof to === "function" ? chosenTopic(to, options) : { kind: "toTopic", topic: to, next: [] }),
    trailingWindow: (size, options) => ({
      aggregate: (aggregates) => addWindow(trailingShape(size, options), aggregates, options.name),
    }),
    tumblingWindow: (size, options) => closing((tells) => hoppingShape(size, size, tells, options), options),
    hoppingWindow: (size, options) =>
      closing((tells) => hoppingShape(size, options.every, tells, options), options),
    slidingWindow: (difference, options) =>
      closing((tells) => slidingShape(difference, tells, options), options),
    sessionWindow: (gap, options) => ({
      aggregate(aggregates) {
        const told = <R>(tells: WindowTells) =>
          addWindow<R>(sessionShape(gap, tells, options), aggregates, options.name);
        return { final: () => told("final"), current: () => told("current") };
      },
    }),
  };
  places.set(result, place);
  return result;
}

/** What every node with a function has. */
function step<R>(run: R & Named, options: StepOptions) {
  const next: Node[] = [];
  return { name: stepName(run, options.name), policy: stepPolicy(options), run, next };
}

type Named = Parameters<typeof stepName>[0];
type Keep<T, S extends T> = (value: T, context: RecordContext) => value is S;
type Choose<T> = (value: T, context: RecordContext) => TopicSink<T>;

/** The topics that come together here, by the names that their author gave them. */
function namesOf({ sources }: Place): string {
  return sources.map(({ topic, repartition }) => repartition?.name ?? topic.name).join("+");
}

function mustFitWindow(place: Place, name: string): void {
  if (place.isWindowed) {
    throw new TopologyError(
      `Window "${name}" follows another window; write the first one's results to a topic, or put groupBy between them.`,
    );
  }
  if (place.sources.length > 1) {
    throw new TopologyError(
      `Window "${name}" follows a merge of several topics, whose partitions are processed separately: put groupBy between them.`,
    );
  }
  if (place.blueprint.stateNames.has(name)) {
    throw new TopologyError(`Two windows are named "${name}"; set the option name for one of them.`);
  }
}

function mustFitStore(place: Place, store: string): void {
  mustFitTopicName("A store", store);
  if (place.sources.length > 1) {
    throw new TopologyError(
      `Store "${store}" follows a merge of several topics, whose partitions are processed separately: put groupBy between them.`,
    );
  }
  if (place.blueprint.stateNames.has(store)) {
    throw new TopologyError(`The name "${store}" is already in use; choose another name for the store.`);
  }
  place.blueprint.stateNames.add(store);
}

/** The name becomes a part of a topic's. */
function mustFitTopicName(what: string, name: string): void {
  if (typeof name === "string" && isTopicPart(name)) return;
  throw new TopologyError(
    `${what} is named "${name}", which can't be part of a topic name: use letters, digits, ".", "_" and "-".`,
  );
}

function checkedConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1_000) return concurrency;
  throw new TopologyError(`concurrency is ${concurrency}; it must be a whole number from 1 to 1,000.`);
}

const OTHERWISE = "otherwise";

function branches<T, P extends Readonly<Record<string, BranchPredicate<T>>>>(
  place: Place,
  predicates: P,
): Branches<T, P>;
function branches<T>(place: Place, predicates: Readonly<Record<string, BranchPredicate<T>>>) {
  const wrong = Object.keys(predicates).find((name) => name === OTHERWISE || /^\d+$/.test(name));
  if (wrong !== undefined) {
    throw new TopologyError(
      `A branch is named "${wrong}": "${OTHERWISE}" is reserved for the rest, and whole numbers lose their order.`,
    );
  }
  const arms = Object.entries(predicates).map(([name, run]): [string, ArmNode] => [
    name,
    { kind: "arm", name, policy: {}, run, next: [] },
  ]);
  arms.push([OTHERWISE, { kind: "arm", name: OTHERWISE, policy: {}, run: () => true, next: [] }]);
  place.next.push({ kind: "branch", next: arms.map(([, arm]) => arm) });
  return Object.fromEntries(arms.map(([name, { next }]) => [name, frame<T>({ ...place, next })]));
}

function merged<R>(place: Place, other: Place | undefined): StreamingDataFrame<R> {
  if (other?.blueprint !== place.blueprint) {
    throw new TopologyError("Streams of two apps can't be merged: let one app read both topics.");
  }
  const node: Node = { kind: "merge", next: [] };
  place.next.push(node);
  other.next.push(node);
  return frame({
    blueprint: place.blueprint,
    sources: [...new Set([...place.sources, ...other.sources])],
    next: node.next,
    isWindowed: place.isWindowed || other.isWindowed,
  });
}

interface Grouping<T> {
  readonly name: string;
  readonly partitions?: number;
  readonly codec?: ValueCodec<T>;
}

function grouped<T>(
  place: Place,
  key: (value: T, context: RecordContext) => string,
  { name, partitions = Math.max(...place.sources.map(({ topic }) => topic.partitions)), codec }: Grouping<T>,
): StreamingDataFrame<T> {
  const { blueprint, sources } = place;
  mustFitTopicName("groupBy", name);
  const topic = repartitionTopic(blueprint.app, { name, partitions }, codec);
  const upstream = sources.map((source) => source.topic.name);
  const source: SourceNode = { kind: "source", topic, repartition: { name, upstream }, next: [] };
  blueprint.addSource(source);
  place.next.push({ kind: "groupBy", name, policy: {}, run: key, topic, next: [] });
  return dataFrameOf<T>(source, blueprint);
}

function chosenTopic<T>(choose: Choose<T>, options: ChosenTopicOptions<T>): Node {
  const { name, topics = [] } = options;
  return {
    kind: "toChosenTopic",
    name: stepName(choose, name),
    policy: stepPolicy(options),
    choose: choose,
    topics: new Map(topics.map((topic) => [topic.name, topic])),
    next: [],
  };
}
