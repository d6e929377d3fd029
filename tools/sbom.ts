/** `pnpm run sbom`: the software bill of materials, CycloneDX, of all that the images hold beyond Node's own image. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { buildPageWhenNeeded } from "./page/build.ts";
import { readArguments } from "./people/arguments.ts";
import { Bill, bundledPackages, licenceCounts, withBundled } from "./sbom/bill.ts";
import { runTool } from "./supervise/errors.ts";
import { root } from "./system/layout.ts";

const HELP =
  "pnpm run sbom      Writes sbom.cdx.json: the services' production packages, and those that the page is built of.";
const FILE = "sbom.cdx.json";

await runTool(async () => {
  readArguments(HELP, [], {});
  await buildPageWhenNeeded(root, () => console.log("Building the page ..."));
  const [services, everything, licences] = await Promise.all([
    billOf("--filter-prod", "{services/*}...", "--prod"),
    billOf("--filter", "@kelvin/dashboard"),
    readFile(join(root, "services", "dashboard", "dist", "licences.md"), "utf8"),
  ]);
  const bill = withBundled(services, everything, bundledPackages(licences));
  await writeFile(join(root, FILE), `${JSON.stringify(bill, null, 2)}\n`);
  const counts = licenceCounts(bill);
  const packages = counts.reduce((sum, [, count]) => sum + count, 0);
  console.log(`${FILE}: ${packages} packages, ${counts.map((each) => each.join(" ")).join(", ")}`);
  return 0;
});

/** What pnpm says of a selection of the workspace. */
async function billOf(...selection: string[]): Promise<Bill> {
  const cache = join(root, ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "sbom-"));
  try {
    const out = join(folder, "bill.json");
    // Named from the root, where pnpm runs: a shell would cut the name of a home with a space in it.
    const options = [
      "--sbom-format",
      "cyclonedx",
      "--sbom-type",
      "application",
      "--out",
      relative(root, out),
    ];
    const [filter = "", pattern = "", ...more] = selection;
    const shell = process.platform === "win32"; // pnpm is a .cmd there
    await promisify(execFile)("pnpm", [filter, pattern, "sbom", ...options, ...more], { cwd: root, shell });
    return Bill.parse(JSON.parse(await readFile(out, "utf8")));
  } finally {
    await rm(folder, { recursive: true });
  }
}
