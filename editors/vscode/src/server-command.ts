/**
 * Which server serves an editor: the one named in the settings, the workspace's own, or the one that the extension brings.
 * @module
 */
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/** A script for Node, or a program. */
export type ServerCommand =
  | { readonly kind: "script"; readonly path: string; readonly args: readonly string[] }
  | { readonly kind: "program"; readonly path: string; readonly args: readonly string[] };

export interface Wishes {
  /** The setting `budget-guard.path`; empty where nothing is set. */
  readonly path: string;
  /** Folders of the workspace, the first is what a relative path is relative to. */
  readonly folders: readonly string[];
  /** Code of a workspace that is not trusted is never run. */
  readonly trusted: boolean;
  /** Where the extension is installed. */
  readonly extension: string;
}

/** The server to start. */
export function serverCommand({ path, folders, trusted, extension }: Wishes): ServerCommand {
  const own = join(extension, "dist", "server.mjs");
  const bundled: ServerCommand = { kind: "script", path: own, args: [] };
  if (!trusted) return bundled;
  if (path !== "") {
    const [first = ""] = folders;
    const named = path.replaceAll("$" + "{workspaceFolder}", first);
    const local = isAbsolute(named) || !/[\\/]/.test(named) ? named : join(first, named);
    return { kind: /\.[cm]?js$/.test(local) ? "script" : "program", path: local, args: ["lsp"] };
  }
  for (const folder of folders) {
    const installed = join(folder, "node_modules", "budget-guard", "dist");
    const main = join(installed, "cli", "main.js");
    // A version without a language server has no such file.
    const serves = existsSync(join(installed, "chunks", "language-server-protocol.js"));
    if (serves && existsSync(main)) return { kind: "script", path: main, args: ["lsp"] };
  }
  return bundled;
}
