/** The topology in readable form: as text, and as a mermaid diagram. */
import { durationText } from "./duration.ts";
import type { Node, Topology, WindowShape } from "./nodes.ts";

/** Lines of text, or a mermaid flow chart. */
export type DescribeFormat = "text" | "mermaid";

/** Text has a line for each step, indented under the one before; mermaid is a flow chart, in which streams meet. */
export function describe(topology: Topology, format: DescribeFormat): string {
  return format === "text" ? asText(topology) : asMermaid(topology);
}

function asText({ name, sources }: Topology): string {
  const lines = [name];
  /** Streams that come together, numbered in the order in which they are met. */
  const merges = new Map<Node, string>();
  const add = (node: Node, depth: number): void => {
    const indent = "  ".repeat(depth);
    const known = merges.get(node);
    if (known !== undefined) {
      lines.push(`${indent}${known}, as above`);
      return;
    }
    const title = node.kind === "merge" ? `merge ${merges.size + 1}` : titleOf(node);
    if (node.kind === "merge") merges.set(node, title);
    // The arms of a branch say all of it.
    if (node.kind !== "branch") lines.push(`${indent}${title}`);
    for (const child of childrenOf(node)) add(child, node.kind === "branch" ? depth : depth + 1);
  };
  for (const source of sources) {
    lines.push(`  from topic ${source.topic.name}`);
    for (const child of source.next) add(child, 2);
  }
  return lines.join("\n");
}

function asMermaid({ name, sources }: Topology): string {
  const shapes = new Map<string, string>();
  const edges: string[] = [];
  const ids = new Map<Node, string>();
  const topic = (topicName: string): string => {
    const id = `topic_${topicName.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
    shapes.set(id, `${id}[("${escaped(topicName)}")]`);
    return id;
  };
  const join = (from: string, to: string, label = ""): void => {
    edges.push(label === "" ? `${from} --> ${to}` : `${from} -- "${escaped(label)}" --> ${to}`);
  };
  /** Draws the node with all that is behind it, once, and the way to it. */
  const add = (node: Node, from: string, label = ""): void => {
    // A topic is its own shape, and an arm is the label of a way.
    if (node.kind === "toTopic") join(from, topic(node.topic.name), label);
    if (node.kind === "toTopic" || node.kind === "arm") {
      for (const child of node.next) add(child, from, node.kind === "arm" ? node.name : label);
      return;
    }
    const known = ids.get(node);
    const id = known ?? `n${ids.size}`;
    ids.set(node, id);
    join(from, id, label);
    if (known !== undefined) return;
    const title = escaped(titleOf(node));
    shapes.set(id, node.kind === "branch" ? `${id}{"${title}"}` : `${id}["${title}"]`);
    for (const written of topicsOf(node)) join(id, topic(written));
    for (const child of childrenOf(node)) add(child, id);
  };
  for (const source of sources) {
    const from = topic(source.topic.name);
    for (const child of source.next) add(child, from);
  }
  return ["flowchart LR", `  %% ${name}`, ...[...shapes.values(), ...edges].map((line) => `  ${line}`)].join(
    "\n",
  );
}

/** The topics that are written by a step that has a shape of its own. */
function topicsOf(node: Node): string[] {
  if (node.kind === "groupBy") return [node.topic.name];
  return node.kind === "toChosenTopic" ? [...node.topics.keys()] : [];
}

/** A branch that nobody follows is not there. */
function childrenOf({ next }: Node): readonly Node[] {
  return next.filter((node) => node.kind !== "arm" || node.next.length > 0);
}

/** A step in words, also in logs and dead letters. */
export function titleOf(node: Node): string {
  switch (node.kind) {
    case "apply":
    case "filter":
    case "update":
      return named(node.kind, node.name);
    case "applyAsync":
      return `${named("apply", node.name)}, ${node.concurrency} at once`;
    case "stateful":
      return `${named("apply", node.name)} with ${node.store.name}`;
    case "flatMap":
      return named("flat map", node.name);
    case "branch":
    case "merge":
      return node.kind;
    case "arm":
      return `branch ${node.name}`;
    case "groupBy":
      return `group by ${node.name}`;
    case "print":
      return `print ${node.label}`;
    case "toTopic":
      return `to topic ${node.topic.name}`;
    case "toChosenTopic": {
      const topics = [...node.topics.keys()].join(", ");
      return `${named("to topic by", node.name)}${topics && `: ${topics}`}`;
    }
    case "window": {
      const results = Object.entries(node.aggregates).map(([name, { name: kind }]) => `${name} = ${kind}`);
      return `${windowTitle(node.shape)}: ${results.join(", ")}`;
    }
  }
}

function named(kind: string, name: string): string {
  return name === "" ? kind : `${kind} ${name}`;
}

function windowTitle(shape: WindowShape): string {
  switch (shape.kind) {
    case "trailing":
      return `last ${durationText(shape.sizeMs)} every ${durationText(shape.everyMs)}`;
    case "hopping": {
      const size = durationText(shape.sizeMs);
      const isTumbling = shape.sizeMs === shape.everyMs;
      const what = isTumbling ? `tumbling ${size}` : `hopping ${size} every ${durationText(shape.everyMs)}`;
      return `${what}, ${shape.tells}`;
    }
    case "sliding":
      return `sliding ${durationText(shape.differenceMs)}, ${shape.tells}`;
    case "session":
      return `sessions ${durationText(shape.gapMs)} apart, ${shape.tells}`;
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[#&"<>]/g, (character) => `#${character.charCodeAt(0)};`);
}
