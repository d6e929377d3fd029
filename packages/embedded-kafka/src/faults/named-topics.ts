/** The topics that a request names. */

/** Fields that hold topics or, in requests about several groups, hold what holds topics. */
const FIELDS: readonly string[] = ["topics", "topicData", "topicNames", "v3AndBelowTopics", "groups"];

/** @param nameOf the name behind a topic's id. */
export function namedTopics(request: unknown, nameOf: (id: string) => string | undefined): string[] {
  const named = entriesOf(request)
    .filter(([field]) => FIELDS.includes(field))
    .flatMap(([field, value]) =>
      Array.isArray(value) ? value.flatMap((one) => namesOf(field, one, nameOf)) : [],
    );
  return [...new Set(named)];
}

/** The id of the fetch session that a request continues; 0 for none. */
export function fetchSessionOf(request: unknown): number {
  const [, id] = entriesOf(request).find(([field]) => field === "sessionId") ?? [];
  return typeof id === "number" ? id : 0;
}

function namesOf(field: string, value: unknown, nameOf: (id: string) => string | undefined): string[] {
  if (field === "groups") return namedTopics(value, nameOf);
  if (typeof value === "string") return [value];
  const fields = new Map(entriesOf(value));
  const name = [fields.get("name"), fields.get("topic")].find(isName);
  if (name !== undefined) return [name];
  const id = fields.get("topicId");
  const found = isName(id) ? nameOf(id) : undefined;
  return found === undefined ? [] : [found];
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
