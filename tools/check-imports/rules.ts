/** ARCHITECTURE.md, "Who may import whom", as data. The two change together. */

/** A part of the repository that has a line in the table. */
export interface Area {
  readonly name: string;
  /** Its folders, relative to the root. The longest match wins. */
  readonly folders: readonly string[];
  /** What it may take from other members of the workspace, besides what tests may. */
  readonly members: readonly AllowedMember[];
  /** Other areas that it may reach by relative paths: only folders of the root, which have no `exports`. */
  readonly neighbours?: readonly string[];
  /** Libraries that its sources may use; its tests may use whatever its package.json declares. "any" where it is free. */
  readonly libraries: readonly string[] | "any";
  /** Whether its sources may use Node's own modules: what also runs in browsers may not. */
  readonly node: boolean;
  /** Where `process`, `console` and the machine's clock and timers may be used: "all", or these files of it. */
  readonly machine: "all" | readonly RegExp[];
}

export interface AllowedMember {
  /** The import's specifier without a subpath, or with it where only that one door is open. */
  readonly specifier: string;
  /** "types": nothing of it is left at run time. "tests": only in tests and examples. */
  readonly only?: "types" | "tests";
}

const MAIN = /(^|\/)main\.ts$/;
const SCHEMA = { specifier: "@kelvin/schema" };
const STREAMS = { specifier: "@kelvin/streams" };
const SERVICE_KIT = { specifier: "@kelvin/service-kit" };
const BROKER = { specifier: "@kelvin/embedded-kafka" };
const BROKER_IN_TESTS = { ...BROKER, only: "tests" } as const;
const TEST_KIT = { specifier: "@kelvin/test-kit" };
const TEST_KIT_IN_TESTS = { ...TEST_KIT, only: "tests" } as const;
const ALL_MEMBERS = [SCHEMA, STREAMS, SERVICE_KIT, BROKER, TEST_KIT];

const service = (name: string, folder: string, libraries: readonly string[]): Area => ({
  name,
  folders: [folder],
  members: [SCHEMA, STREAMS, SERVICE_KIT, BROKER_IN_TESTS, TEST_KIT_IN_TESTS],
  libraries: ["zod", "kafkajs", ...libraries],
  node: true,
  machine: [MAIN],
});

const peopleFolder = (name: string, neighbours: readonly string[]): Area => ({
  name,
  folders: [name],
  members: ALL_MEMBERS,
  neighbours,
  libraries: "any",
  node: true,
  machine: "all",
});

export const AREAS: readonly Area[] = [
  { name: "schema", folders: ["packages/schema"], members: [], libraries: ["zod"], node: false, machine: [] },
  {
    name: "streams",
    folders: ["packages/streams"],
    members: [BROKER_IN_TESTS, TEST_KIT_IN_TESTS],
    libraries: ["kafkajs"],
    node: true,
    // The default of its `clock` options; and a mend inside of kafkajs, which has a clock of its own.
    machine: [/\/machine-clock\.ts$/, /\/io\/idle-timer\.ts$/],
  },
  {
    name: "embedded-kafka",
    folders: ["packages/embedded-kafka"],
    members: [],
    libraries: [],
    node: true,
    // The lock of a folder names its process to whoever is kept out by it.
    machine: [MAIN, /\/src\/(cli|time)\//, /\/src\/cli\.ts$/, /\/storage\/folder-lock\.ts$/],
  },
  {
    name: "service-kit",
    folders: ["packages/service-kit"],
    members: [],
    libraries: ["zod", "pino", "prom-client"],
    node: true,
    machine: "all",
  },
  {
    name: "test-kit",
    folders: ["packages/test-kit"],
    members: [BROKER],
    libraries: ["kafkajs", "playwright-core", "zod"],
    node: true,
    machine: "all",
  },
  service("producer", "services/producer", ["csv-parse"]),
  service("stream-processor", "services/stream-processor", []),
  service("dashboard server", "services/dashboard/server", ["express", "socket.io", "helmet"]),
  {
    name: "dashboard page",
    folders: ["services/dashboard/page"],
    members: [
      { ...SCHEMA, only: "types" },
      { specifier: "@kelvin/schema/live" },
      BROKER_IN_TESTS,
      TEST_KIT_IN_TESTS,
    ],
    libraries: ["socket.io-client", "chart.js"],
    node: false,
    // Frames and pauses are the browser's; a page's tests drive a real one.
    machine: [MAIN, /\/src\/(painter|connection)\.ts$/, /\/src\/views\//],
  },
  {
    name: "dashboard build",
    folders: ["services/dashboard"],
    members: [SCHEMA],
    libraries: "any",
    node: true,
    machine: "all",
  },
  peopleFolder("test", ["tools"]),
  peopleFolder("bench", ["test", "tools"]),
  peopleFolder("tools", []),
  peopleFolder("docs", ["test", "tools"]),
  { ...peopleFolder("root", ["test"]), folders: [""] },
];

/** Tests, what only they use, and examples: they may take more than the sources beside them. */
export const isTest = (path: string): boolean =>
  /\.(test|bench)(-[a-z]+)?\.ts$/.test(path) ||
  /(^|\/)(test|test-support|testing|examples|fixtures)\//.test(path);

/** Globals that tie code to this machine and this moment. The rest of the code is handed a clock and a log. */
export const MACHINE_GLOBALS: ReadonlySet<string> = new Set([
  "process",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "requestAnimationFrame",
]);

/** The same by way of a property. */
export const MACHINE_MEMBERS: ReadonlySet<string> = new Set([
  "Date.now",
  "performance.now",
  "AbortSignal.timeout",
]);

/** The same by way of an import. */
export const MACHINE_MODULES: ReadonlySet<string> = new Set([
  "node:process",
  "node:console",
  "node:timers",
  "node:timers/promises",
]);

/** `as`, `!`, `any` and `@ts-` comments per 1,000 lines of sources, tests aside. */
export const TYPE_ESCAPES_PER_1000_LINES_MAX = 5;
