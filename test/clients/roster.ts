/** Every client that is tried, how it is started, and what it does not have. */
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { type Client, ClientError, DriverProcess } from "./client.ts";
import { KcatClient } from "./kcat-client.ts";

export const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Codec = (typeof CODECS)[number];
export type AdminCommand = "create" | "partitions" | "configs" | "alter" | "grow" | "delete" | "topics";
const ALL_ADMIN: readonly AdminCommand[] = [
  "create",
  "partitions",
  "configs",
  "alter",
  "grow",
  "delete",
  "topics",
];

export interface Entry {
  readonly name: string;
  /** Why it can't be tried here. */
  readonly missing: string | undefined;
  /** @param at the brokers. @default those under test */
  start(at?: string): Client;
  /** Codecs it writes; every client reads all. */
  readonly writes: readonly Codec[];
  readonly admin: readonly AdminCommand[];
  readonly setsTimestamps: boolean;
  readonly transactions: boolean;
  /** Whether it reads, processes and writes in one transaction; "commits": and can't be told to abort. */
  readonly copies: boolean | "commits";
  /** Whether it keeps aborted records from a reader at read_committed. */
  readonly dropsAborted: boolean;
}

/** What setup.ts found and made; a text is the reason why it has not. */
export const Prepared = z.object({
  python: z.object({ path: z.string() }).or(z.string()),
  go: z.object({ path: z.string() }).or(z.string()),
  java: z.object({ path: z.string(), jars: z.string(), classes: z.string() }).or(z.string()),
  kcat: z.object({ path: z.string() }).or(z.string()),
});
export type Prepared = z.infer<typeof Prepared>;

export const PREPARED_VARIABLE = "KELVIN_TEST_CLIENTS";
export const prepared: Prepared = Prepared.parse(JSON.parse(process.env[PREPARED_VARIABLE] ?? "{}"));
export const brokers = process.env["KAFKA_BROKERS"] ?? "";

const driver = (file: string): string => fileURLToPath(new URL(`drivers/${file}`, import.meta.url));
const reason = (found: object | string): string | undefined =>
  typeof found === "string" ? found : undefined;
/** What was made, where there is anything: with CI=true it is asked for all the same. */
function there<T extends object>(found: T | string): T {
  if (typeof found === "string") throw new ClientError(found);
  return found;
}

const envOf = (at = brokers) => ({ KAFKA_BROKERS: at });
const everything = {
  writes: CODECS,
  admin: ALL_ADMIN,
  setsTimestamps: true,
  transactions: true,
  copies: true,
  dropsAborted: true,
} as const;

const inNode = (file: string) => (at?: string) =>
  new DriverProcess(process.execPath, ["--disable-warning=TimeoutNegativeWarning", driver(file)], envOf(at));
const inPython = (file: string) => (at?: string) => {
  const { path } = there(prepared.python);
  const quiet = { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" };
  return new DriverProcess(path, [driver(`python/${file}`)], { ...envOf(at), ...quiet });
};
const inGo = (at?: string): Client => new DriverProcess(there(prepared.go).path, [], envOf(at));

function inJava(at?: string): Client {
  const { path, jars, classes } = there(prepared.java);
  // A small machine runs many of them: the first compiler alone, and one collector thread.
  const jvm = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"];
  return new DriverProcess(path, [...jvm, "-cp", `${classes}:${jars}/*`, "Driver"], envOf(at));
}

export const roster: readonly Entry[] = [
  {
    name: "kafkajs",
    missing: undefined,
    start: inNode("kafkajs.ts"),
    ...everything,
  },
  {
    name: "@platformatic/kafka",
    missing: undefined,
    start: inNode("platformatic.ts"),
    ...everything,
    // 2.12 takes the list of aborted transactions off the wire and does nothing with it, on any broker.
    dropsAborted: false,
  },
  {
    name: "kcat",
    missing: reason(prepared.kcat),
    start: (at = brokers) => new KcatClient(at),
    ...everything,
    admin: ["partitions", "topics"],
    setsTimestamps: false,
    // A run of it is one transaction, which it commits at the end: packages/embedded-kafka/src/clients/kcat.test.ts.
    transactions: false,
    copies: false,
  },
  {
    name: "confluent-kafka",
    missing: reason(prepared.python),
    start: inPython("librdkafka.py"),
    ...everything,
  },
  {
    name: "quixstreams",
    missing: reason(prepared.python),
    start: inPython("quix.py"),
    ...everything,
    transactions: false,
    copies: "commits",
  },
  { name: "kafka-python", missing: reason(prepared.python), start: inPython("pure.py"), ...everything },
  { name: "franz-go", missing: reason(prepared.go), start: inGo, ...everything },
  { name: "Java client", missing: reason(prepared.java), start: inJava, ...everything },
];

/** For names of tests: why one is skipped. */
export const because = (missing: string | undefined): string =>
  missing === undefined ? "" : ` (skipped: ${missing})`;

/** With CI=true nothing may be missing: the tests run, and fail. */
export const isSkipped = ({ missing }: Pick<Entry, "missing">): boolean =>
  missing !== undefined && process.env["CI"] !== "true";
