/** Packages, installed when the lock file has changed since the last time, and only then. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BootstrapError } from "./runtime.mjs";

/** pnpm says nothing unless something is wrong; then all it said is shown. */
export async function installWhenNeeded(root, node) {
  const marker = join(root, "node_modules", ".installed");
  const wanted = fingerprint(root);
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  console.error("Installing the packages of pnpm-lock.yaml ...");
  const options = [
    "install",
    "--frozen-lockfile",
    "--config.confirm-modules-purge=false",
    "--reporter=append-only",
  ];
  const installed = spawnSync(node.path, [node.pnpm(), ...options], {
    cwd: root,
    env: node.environment,
    encoding: "utf8",
    windowsHide: true,
  });
  if (installed.status !== 0) {
    const details = [installed.error?.message, installed.stdout, installed.stderr]
      .filter(Boolean)
      .join("\n")
      .trim();
    throw new BootstrapError(`pnpm could not install the packages:\n${details}`);
  }
  writeFileSync(marker, wanted);
}

function fingerprint(root) {
  const hash = createHash("sha256");
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, file)));
  return `${process.platform} ${process.arch} ${hash.digest("hex")}\n`;
}
