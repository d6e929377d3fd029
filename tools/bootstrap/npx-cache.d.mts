/** For tests in TypeScript: the bootstrap itself is plain JavaScript, for any Node. */
export function findInNpxCache(
  cache: string | undefined,
  packages: readonly string[],
): { readonly bin: string; readonly node: string; readonly pnpm: string } | undefined;
