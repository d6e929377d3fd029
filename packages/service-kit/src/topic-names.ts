/** Names of topics as settings: ones that Kafka accepts, and no two the same. */
import * as z from "zod";

/** Kafka's own limit is 249; a topic's dead letters go to `<name>.dlq`. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,245}$/;
const DEAD_LETTERS = ".dlq";

/** The variable of a topic's name; `byDefault` where it is unset. */
export function topicName(byDefault: string) {
  return z
    .string()
    .regex(
      NAME,
      "is not a valid topic name: use 1 to 245 of the characters A-Z, a-z, 0-9, dot, dash and underscore",
    )
    .default(byDefault);
}

/**
 * Checks that topics differ, also from each other's dead letters; to be intersected with the variables' own schema, so
 * that its problems are reported with all others. One topic in two parts would feed a pipeline with what it writes.
 *
 * @param defaults the variables, with the names that hold where they are unset
 */
export function distinctTopics(defaults: Readonly<Record<string, string>>) {
  return z.record(z.string(), z.string()).transform((given, context) => {
    const taken = new Map<string, string>();
    // Those that were set come last: they are at fault, and not a default.
    for (const variable of Object.keys(defaults).toSorted(
      (a, b) => Number(a in given) - Number(b in given),
    )) {
      const name = given[variable] ?? defaults[variable] ?? "";
      const other = taken.get(comparable(name)) ?? taken.get(comparable(name + DEAD_LETTERS));
      if (other !== undefined) {
        const message = `conflicts with the topic of ${other} or its dead-letter topic: names must differ in more than dots and underscores`;
        context.addIssue({ code: "custom", path: [variable], message });
      }
      taken.set(comparable(name), variable).set(comparable(name + DEAD_LETTERS), variable);
    }
    return {};
  });
}

/** Kafka accepts no two topics that differ only in dots and underscores: its metrics can't tell them apart. */
function comparable(name: string): string {
  return name.replaceAll(".", "_");
}
