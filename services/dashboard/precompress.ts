/** Compresses the built page once, as well as can be, so that the server has only to choose: `x.js` gets `x.js.br` and `x.js.gz`. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const COMPRESSIBLE = /\.(html|js|css|svg|json|webmanifest|txt)$/;
/** Below this a packet is not full anyway. */
const WORTHWHILE_BYTES = 1_000;

/** @param quality brotli's, 0 to 11, which is the smallest and takes as long as the rest of the build */
export function precompress({ quality = constants.BROTLI_MAX_QUALITY } = {}): Plugin {
  return {
    name: "kelvin-precompress",
    apply: "build",
    async writeBundle({ dir }) {
      if (dir !== undefined) await compressAll(dir, quality);
    },
  };
}

async function compressAll(folder: string, quality: number): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && COMPRESSIBLE.test(entry.name));
  await Promise.all(files.map((entry) => compress(join(entry.parentPath, entry.name), quality)));
}

async function compress(path: string, quality: number): Promise<void> {
  const content = await readFile(path);
  if (content.length < WORTHWHILE_BYTES) return;
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content, { params }));
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
}
