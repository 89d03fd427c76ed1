/**
 * Packages that a few tests run in or beside, in a folder of their own: the set-up of the tests (`node .ci/setup.mjs --tests`)
 * installs what installed/package.json names.
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where they are; below it, an application finds them. */
export const installedFolder = join(root, "node_modules", ".cache", "budget-guard", "installed");

/** The folder of one of them. */
export function installed(name: string): string {
  const folder = join(installedFolder, "node_modules", name);
  if (!existsSync(folder)) throw new Error(`${name} is not installed: run \`node .ci/setup.mjs --tests\``);
  return folder;
}
