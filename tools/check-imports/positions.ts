/** Something in a file, with the line and column (from 1) where it starts. */
export interface Found {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** Names what stands at an offset of a file's text. */
export type Find = (text: string, offset: number) => Found;

export function finder(source: string): Find {
  const starts = [0, ...Array.from(source.matchAll(/\n/g), (match) => match.index + 1)];
  return (text, offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { text, line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}

export const byPosition = (all: Found[]): Found[] =>
  all.sort((a, b) => a.line - b.line || a.column - b.column);
