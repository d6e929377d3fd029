/** A software bill of materials of what is shipped: the services' production packages, and what the page was built of. */
import * as z from "zod";
import { ToolError } from "../supervise/errors.ts";

/** A package as CycloneDX has it; what we don't look at stays as it is. */
const Component = z.looseObject({
  group: z.string().optional(),
  name: z.string(),
  version: z.string(),
  licenses: z
    .array(z.looseObject({ license: z.looseObject({ id: z.string().optional() }).optional() }))
    .default([]),
});
export type Component = z.infer<typeof Component>;

/** A bill in the CycloneDX format, as far as it is looked at. */
export const Bill = z.looseObject({ bomFormat: z.literal("CycloneDX"), components: z.array(Component) });
export type Bill = z.infer<typeof Bill>;

/** Packages that a Vite build lists in its file of licences, each as `name@version`. */
export function bundledPackages(licences: string): string[] {
  return [...licences.matchAll(/^## (\S+) - (\S+) \(/gm)].map(([, name, version]) => `${name}@${version}`);
}

/**
 * The bill of the services, and with it the bundled packages, which only a bill that holds development packages knows.
 *
 * @throws ToolError where that one lacks a package, or the page was built of none
 */
export function withBundled(services: Bill, everything: Bill, bundled: readonly string[]): Bill {
  if (bundled.length === 0) throw new ToolError("The built page names no package that it is made of.");
  const known = new Set(services.components.map(idOf));
  const added = bundled
    .filter((id) => !known.has(id))
    .map((id) => {
      const component = everything.components.find((each) => idOf(each) === id);
      if (component === undefined)
        throw new ToolError(`${id} is in the page, and no package of the workspace.`);
      return component;
    });
  return { ...services, components: [...services.components, ...added] };
}

/** How many packages of others are under each licence, the most first. */
export function licenceCounts({ components }: Bill): [licence: string, count: number][] {
  const counts = new Map<string, number>();
  for (const component of components.filter(({ group }) => group !== "@kelvin")) {
    const ids = component.licenses.map(({ license }) => license?.id ?? "named otherwise");
    const licence = ids.join(" or ") || "unknown";
    counts.set(licence, (counts.get(licence) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a);
}

function idOf({ group, name, version }: Component): string {
  return `${group === undefined ? "" : `${group}/`}${name}@${version}`;
}
