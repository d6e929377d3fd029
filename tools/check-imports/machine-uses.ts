import { type ParseResult, Visitor } from "oxc-parser";
import type { Find, Found } from "./positions.ts";
import { MACHINE_GLOBALS, MACHINE_MEMBERS } from "./rules.ts";

type Program = ParseResult["program"];

const GLOBAL_OBJECTS = ["globalThis", "window", "self", "global"];

/** Uses of the machine's clock, log and process: as globals, by a global object, or by `new Date()`. */
export function machineUsesOf(program: Program, find: Find): Found[] {
  const found: Found[] = [];
  new Visitor({
    MemberExpression(node) {
      if (node.computed || node.property.type === "PrivateIdentifier" || node.object.type !== "Identifier")
        return;
      const [object, property] = [node.object.name, node.property.name];
      if (MACHINE_MEMBERS.has(`${object}.${property}`)) found.push(find(`${object}.${property}`, node.start));
      if (GLOBAL_OBJECTS.includes(object) && MACHINE_GLOBALS.has(property))
        found.push(find(property, node.property.start));
    },
    NewExpression({ callee, arguments: given, start }) {
      if (callee.type === "Identifier" && callee.name === "Date" && given.length === 0)
        found.push(find("new Date()", start));
    },
  }).visit(program);

  const passed = propertyNames(program);
  new Visitor({
    Identifier({ name, start }) {
      if (!MACHINE_GLOBALS.has(name) || passed.has(start)) return;
      found.push(find(name, start));
      passed.add(start); // `{ process }` is two identifiers at one place
    },
  }).visit(program);
  return found;
}

/** Where identifiers start that name a property and not a variable. */
function propertyNames(program: Program): Set<number> {
  const starts = new Set<number>();
  const key = (node: { computed?: boolean; key: { start: number } }): void => {
    if (node.computed !== true) starts.add(node.key.start);
  };
  new Visitor({
    ImportSpecifier(node) {
      starts.add(node.imported.start).add(node.local.start);
    },
    ExportSpecifier(node) {
      starts.add(node.exported.start);
    },
    Property(node) {
      if (!node.shorthand) key(node);
    },
    MemberExpression(node) {
      if (!node.computed) starts.add(node.property.start);
    },
    MethodDefinition: key,
    PropertyDefinition: key,
    AccessorProperty: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
    TSAbstractMethodDefinition: key,
    TSAbstractPropertyDefinition: key,
  }).visit(program);
  return starts;
}
