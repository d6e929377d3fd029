/** The topology for people: as text, and as a mermaid diagram. */
import { durationText } from "./duration.ts";
import type { Node, SourceNode, Topology, WindowShape } from "./nodes.ts";

export type DescribeFormat = "text" | "mermaid";

export function describe(topology: Topology, format: DescribeFormat): string {
  return format === "text" ? asText(topology) : asMermaid(topology);
}

function asText({ name, sources }: Topology): string {
  const lines = [name];
  const add = (node: Node, depth: number): void => {
    lines.push(`${"  ".repeat(depth)}${titleOf(node)}`);
    for (const child of node.next) add(child, depth + 1);
  };
  for (const source of sources) {
    lines.push(`  from topic ${source.topic.name}`);
    for (const child of source.next) add(child, 2);
  }
  return lines.join("\n");
}

function asMermaid({ name, sources }: Topology): string {
  const nodes = new Map<string, string>();
  const edges: string[] = [];
  let count = 0;
  const topic = (topicName: string): string => {
    const id = `topic_${topicName.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
    nodes.set(id, `${id}[("${escaped(topicName)}")]`);
    return id;
  };
  const add = (node: Node, from: string): void => {
    if (node.kind === "toTopic") {
      edges.push(`${from} --> ${topic(node.topic.name)}`);
      for (const child of node.next) add(child, from);
      return;
    }
    const id = `n${count++}`;
    nodes.set(id, `${id}["${escaped(titleOf(node))}"]`);
    edges.push(`${from} --> ${id}`);
    for (const child of node.next) add(child, id);
  };
  const start = (source: SourceNode): void => {
    const id = topic(source.topic.name);
    for (const child of source.next) add(child, id);
  };
  sources.forEach(start);
  return ["flowchart LR", `  %% ${name}`, ...[...nodes.values(), ...edges].map((line) => `  ${line}`)].join(
    "\n",
  );
}

function titleOf(node: Node): string {
  switch (node.kind) {
    case "apply":
    case "filter":
    case "update":
      return node.name === "" ? node.kind : `${node.kind} ${node.name}`;
    case "print":
      return `print ${node.label}`;
    case "toTopic":
      return `to topic ${node.topic.name}`;
    case "window": {
      const results = Object.entries(node.aggregates).map(([name, { name: kind }]) => `${name} = ${kind}`);
      return `${windowTitle(node.shape)}: ${results.join(", ")}`;
    }
  }
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
  return text.replaceAll("&", "#amp;").replaceAll('"', "#quot;");
}
