/**
 * The circles of a graph: each group of nodes that reach one another (Tarjan's strongly connected components, those
 * with more than one node or an edge to itself), in the order of their names.
 */
export function cyclesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const index = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const cycles: string[][] = [];

  const visit = (node: string): number => {
    const own = index.size;
    let low = own;
    index.set(node, own);
    stack.push(node);
    onStack.add(node);
    for (const next of graph.get(node) ?? []) {
      const seen = index.get(next);
      if (seen === undefined) low = Math.min(low, visit(next));
      else if (onStack.has(next)) low = Math.min(low, seen);
    }
    if (low === own) {
      const group = stack.splice(stack.indexOf(node));
      for (const member of group) onStack.delete(member);
      if (group.length > 1 || graph.get(node)?.has(node) === true) cycles.push(group.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return cycles.sort(([a = ""], [b = ""]) => a.localeCompare(b));
}
