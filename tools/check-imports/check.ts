import { builtinModules } from "node:module";
import { posix } from "node:path";
import { cyclesOf } from "./cycles.ts";
import { undocumentedNames } from "./doors.ts";
import type { Import } from "./imports.ts";
import type { Module } from "./module.ts";
import type { Found } from "./positions.ts";
import type { Member, Project } from "./project.ts";
import { AREAS, type Area, isTest, MACHINE_MODULES } from "./rules.ts";

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** Which rule, and what to do. */
  readonly message: string;
}

/** What does not keep to ARCHITECTURE.md's "Who may import whom", file by file, then the circles, then the doors. */
export function violationsOf(project: Project): Violation[] {
  const violations: Violation[] = [];
  const graph = new Map<string, Set<string>>();
  for (const [path, module] of project.modules) {
    const asker = askerOf(project, path);
    const targets = new Set<string>();
    graph.set(path, targets);
    for (const found of module.imports) {
      const { target, problem } = judge(project, asker, found);
      if (target !== undefined) targets.add(target);
      if (problem !== undefined) violations.push(violation(path, found, problem));
    }
    violations.push(...machineViolations(asker, module));
  }
  return [...violations, ...circleViolations(project, graph), ...doorViolations(project)];
}

/** Who imports: a file, with what the rules ask of it. */
interface Asker {
  readonly path: string;
  readonly area: Area;
  readonly member: Member;
  readonly test: boolean;
}

interface Verdict {
  /** The file of this repository that is imported, if it is one. */
  readonly target?: string;
  readonly problem?: string;
}

function judge(project: Project, asker: Asker, { text, isType }: Import): Verdict {
  if (text === "(computed)") {
    const mayBeAnything = asker.test || asker.area.libraries === "any";
    return mayBeAnything ? {} : { problem: "a computed import can't be checked: name the module" };
  }
  if (text.startsWith(".")) return judgeRelative(project, asker, text);
  if (text.startsWith("node:")) return judgeNode(asker, text);
  if (builtinModules.includes(text)) return { problem: `write "node:${text}"` };
  const owner = project.members.find(({ name }) => text === name || text.startsWith(`${name}/`));
  return owner === undefined ? judgeLibrary(asker, text) : judgeMember(asker, owner, text, isType);
}

function judgeRelative(
  { modules }: Project,
  { path, area, member, test }: Asker,
  specifier: string,
): Verdict {
  const target = posix.join(posix.dirname(path), specifier);
  const verdict = modules.has(target) ? { target } : {};
  const targetArea = areaOf(target);
  if (targetArea === area || area.neighbours?.includes(targetArea.name) === true) return verdict;
  const isOwn = member.folder !== "" && target.startsWith(`${member.folder}/`);
  if (isOwn && test) return verdict; // the page's tests run the dashboard's own server
  const advice = isOwn ? "export it from a package" : "use a package's exports, or move the file";
  return { ...verdict, problem: `${area.name} may not reach into ${targetArea.name} by a path: ${advice}` };
}

function judgeNode({ area, path, test }: Asker, specifier: string): Verdict {
  if (test) return {};
  if (!area.node) return { problem: `${area.name} also runs in browsers: no ${specifier}` };
  if (MACHINE_MODULES.has(specifier) && !mayUseMachine(area, path))
    return { problem: machineProblem(area, specifier) };
  return {};
}

function judgeMember({ area, test }: Asker, owner: Member, specifier: string, isType: boolean): Verdict {
  const subpath = `.${specifier.slice(owner.name.length)}`;
  const target = owner.exports.get(subpath);
  if (target === undefined)
    return {
      problem: `${owner.name} does not export "${subpath}": add it to its package.json's exports, or use another`,
    };

  const rules = area.members.filter(
    (allowed) => allowed.specifier === owner.name || allowed.specifier === specifier,
  );
  const isItself = owner.folder !== "" && area.folders.includes(owner.folder) && test;
  const isAllowed =
    isItself || rules.some(({ only }) => only === undefined || (only === "tests" ? test : isType));
  if (isAllowed) return { target };
  const limit = rules.map(({ only }) => only)[0];
  return {
    target,
    problem: `${area.name} may not import ${specifier}${limit === undefined ? "" : ` except for ${limit}`}`,
  };
}

function judgeLibrary({ area, member, test }: Asker, specifier: string): Verdict {
  const library = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const isDeclared = member.dependencies.has(library) || member.devDependencies.has(library);
  if (!isDeclared) return { problem: `${library} is not among the dependencies of ${member.name}` };
  if (test || area.libraries === "any") return {};
  if (!area.libraries.includes(library)) return { problem: `${area.name} may not import ${library}` };
  // What the page uses is bundled into it; everything else must be there after an install for production.
  const isThereInProduction = member.dependencies.has(library) || !area.node;
  return isThereInProduction
    ? {}
    : { problem: `${library} must be in the dependencies of ${member.name}, not the devDependencies` };
}

function machineViolations({ path, area, test }: Asker, module: Module): Violation[] {
  if (test || mayUseMachine(area, path)) return [];
  return module.machine.map((found) => violation(path, found, machineProblem(area, found.text)));
}

function doorViolations(project: Project): Violation[] {
  return undocumentedNames(project).map((found) =>
    violation(found.path, found, `exported ${found.text} has no doc comment: say what it is`),
  );
}

const mayUseMachine = (area: Area, path: string): boolean =>
  area.machine === "all" || area.machine.some((file) => file.test(path));

const machineProblem = (area: Area, what: string): string =>
  `${what} ties ${area.name} to this machine: take a clock or a log as an argument`;

/** One line for each circle, at the import of its first file that leads on in it. */
function circleViolations(
  { modules, members }: Project,
  graph: ReadonlyMap<string, ReadonlySet<string>>,
): Violation[] {
  return cyclesOf(graph).map((circle) => {
    const [path = ""] = circle;
    const asker = askerOf({ modules, members }, path);
    const found = modules.get(path)?.imports.find((imported) => {
      const { target } = judge({ modules, members }, asker, imported);
      return target !== undefined && circle.includes(target);
    });
    return violation(
      path,
      found ?? { text: "", line: 1, column: 1 },
      `circular import: ${circle.join(", ")}`,
    );
  });
}

const violation = (path: string, { line, column }: Found, message: string): Violation => ({
  path,
  line,
  column,
  message,
});

function askerOf({ members }: Project, path: string): Asker {
  const owners = members.filter(({ folder }) => folder === "" || path.startsWith(`${folder}/`));
  const [member] = owners.sort((a, b) => b.folder.length - a.folder.length);
  if (member === undefined) throw new UnknownPlaceError(`${path} belongs to no member of the workspace`);
  return { path, area: areaOf(path), member, test: isTest(path) };
}

function areaOf(path: string): Area {
  const candidates = AREAS.flatMap((area) => area.folders.map((folder) => ({ area, folder })))
    .filter(({ folder }) => folder === "" || path.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length);
  const [best] = candidates;
  if (best === undefined || (best.folder === "" && path.includes("/"))) {
    throw new UnknownPlaceError(
      `${path} is in no area of tools/check-imports/rules.ts: add its folder there and to ARCHITECTURE.md`,
    );
  }
  return best.area;
}

export class UnknownPlaceError extends Error {
  override readonly name = "UnknownPlaceError";
}
