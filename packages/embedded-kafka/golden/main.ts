/**
 * Makes messages.json and batches.json again, by Apache Kafka's own Java classes:
 *
 *     node packages/embedded-kafka/golden/main.ts <folder of Apache Kafka's jars>
 *
 * For every API and version that is served, request and response, the samples of src/testing/samples.ts are encoded by
 * Kafka's classes. Wherever our schema knows a field, a version, a tag or a null otherwise, the bytes differ.
 * Made with kafka-clients 4.3.1. Needs a JDK.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { handlers } from "../src/handlers/index.ts";
import type { Fields, FieldType } from "../src/protocol/schema.ts";
import { type SampleKind, type Side, sampleOf, versionsOf } from "../src/testing/samples.ts";

interface Wanted {
  readonly name: string;
  readonly line: string;
}

const wanted: Wanted[] = [];
const sides: readonly [Side, string][] = [
  ["request", "Request"],
  ["response", "Response"],
];
const kinds: readonly SampleKind[] = ["full", "bare"];
for (const { api } of handlers) {
  for (const version of versionsOf(api)) {
    for (const [side, suffix] of sides) {
      for (const kind of kinds) {
        const json = JSON.stringify(
          onTheWire(api[side], version, sampleOf(api, side, version, kind)),
          base64,
        );
        wanted.push({
          name: `${api.name} ${version} ${side} ${kind}`,
          line: `${api.name}${suffix} ${version} ${json}`,
        });
      }
    }
  }
}

/** Kafka's JSON has no fields of other versions, and no structs whose tag is not there. */
function onTheWire(fields: Fields, version: number, value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name, { since, until, tag }]) => {
        const isPresent = since <= version && version <= until;
        return isPresent && !(tag !== null && value[name] === null);
      })
      .map(([name, { type }]) => [name, elementOnTheWire(type, version, value[name])]),
  );
}

function elementOnTheWire(type: FieldType, version: number, value: unknown): unknown {
  if (type.kind === "array" && Array.isArray(value)) {
    return value.map((element) => elementOnTheWire(type.element, version, element));
  }
  const isStruct = type.kind === "struct" && typeof value === "object" && value !== null;
  return isStruct ? onTheWire(type.fields, version, { ...value }) : value;
}

/** Kafka's JSON has bytes in base 64; `JSON.stringify` has made an object of a Buffer before the replacer sees it. */
function base64(_name: string, value: unknown): unknown {
  const isBuffer = typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
  return isBuffer && "data" in value && Array.isArray(value.data)
    ? Buffer.from(value.data).toString("base64")
    : value;
}

const jars = process.argv[2] ?? ".";
const folder = mkdtempSync(join(tmpdir(), "golden-"));
const input = join(folder, "messages.txt");
writeFileSync(input, `${wanted.map(({ line }) => line).join("\n")}\n`);
const java = (...args: string[]): string[] =>
  execFileSync(
    "java",
    ["-cp", [join(jars, "*"), folder].join(delimiter), join(import.meta.dirname, "Golden.java"), ...args],
    { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] },
  )
    .trim()
    .split("\n");

const encoded = java("messages", input);
const messages = Object.fromEntries(wanted.map(({ name }, index) => [name, encoded[index]]));
writeFileSync(join(import.meta.dirname, "messages.json"), `${JSON.stringify(messages, null, 1)}\n`);
const batches = Object.fromEntries(java("batches").map((line) => line.split(" ")));
writeFileSync(join(import.meta.dirname, "batches.json"), `${JSON.stringify(batches, null, 1)}\n`);
rmSync(folder, { recursive: true });
console.log(`${wanted.length} messages and ${Object.keys(batches).length} batches.`);
