/**
 * `budget-guard lsp`: the language server for editors.
 * @module
 */
import type { Verb } from "./verb.ts";

export const lsp: Verb = {
  name: "lsp",
  summary: "serve an editor: diagnostics, hovers, completions, formatting",
  usage: "[--stdio]",
  about: [
    "Speaks the Language Server Protocol on standard input and output, until the editor ends it. Editors start it by",
    "themselves: for VS Code there is an extension, others are told the command `budget-guard lsp`.",
  ],
  options: {
    stdio: { type: "boolean", help: "the only way there is; some editors ask for it" },
    clientProcessId: { type: "string", value: "PID", help: "the editor's process: the server ends when it does" },
  },
  examples: [["npx budget-guard lsp", "as the `cmd` of a language server in an editor's settings"]],
  async run(_, { env }) {
    // Half a megabyte that no other verb needs.
    const { serve } = await import("../lsp/server.ts");
    serve(env);
    // The server ends the process itself, on `exit` or when its input ends.
    return await new Promise<number>(() => {});
  },
};
