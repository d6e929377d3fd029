/** Rows of text under headings; columns with numbers in them to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => String(row[column] ?? "").length)),
  );
  const isNumber = headings.map((_, column) => rows.some((row) => typeof row[column] === "number"));
  const line = (cells: readonly (string | number)[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] ? String(cell).padStart(width) : String(cell).padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [line(headings), ...rows.map(line)].map((text) => `${text}\n`).join("");
}

/** Milliseconds as people say them: 7 d, 90 min, 1.5 s. */
export function duration(ms: number): string {
  const units: [string, number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ];
  const [name, size] =
    units.find(([, unit]) => ms >= unit && ms % unit === 0) ?? (ms >= 1000 ? ["s", 1000] : ["ms", 1]);
  return `${ms / size} ${name}`;
}
