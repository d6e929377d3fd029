/** Lines of several programs in one terminal, each with its name and colour in front. */

const COLOURS = [36, 33, 35, 32, 34, 31];

export interface Terminal {
  /** True where colours are understood and wanted. */
  readonly hasColours: boolean;
  /** A line of the tool itself. */
  say(line: string): void;
  /** The same, made to stand out. */
  announce(line: string): void;
  /** Where a program's lines go. */
  printer(program: string): (line: string) => void;
}

/** @param programs the names, for the width of the margin and a colour for each */
export function createTerminal(
  programs: readonly string[],
  write = (text: string) => process.stdout.write(text),
): Terminal {
  const hasColours =
    process.env.NO_COLOR === undefined &&
    (process.stdout.isTTY === true || process.env.FORCE_COLOR !== undefined);
  const paint = (code: number, text: string) => (hasColours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const width = Math.max(...programs.map((name) => name.length));
  return {
    hasColours,
    say: (line) => void write(`${line}\n`),
    announce: (line) => void write(`${paint(1, line)}\n`),
    printer(program) {
      const index = Math.max(0, programs.indexOf(program));
      const margin = paint(COLOURS[index % COLOURS.length] ?? 0, `${program.padEnd(width)} │`);
      return (line) => void write(`${margin} ${line}\n`);
    },
  };
}
