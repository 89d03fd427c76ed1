import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { anEditor } from "../lsp/editor.ts";
import { folder } from "./command.ts";

const main = join(import.meta.dirname, "..", "..", "dist", "cli", "main.js");

describe("lsp", () => {
  it.each([[[]], [["--stdio"]], [["--stdio", `--clientProcessId=${process.pid}`]]])(
    "speaks the protocol on standard input and output, with the flags that editors add: %j",
    async (flags) => {
      const editor = anEditor({}, [main, "lsp", ...flags]);
      expect((await editor.start()).serverInfo?.name).toBe("budget-guard");
      await editor.connection.sendRequest("shutdown");
      const ended = once(editor.server, "exit");
      await editor.connection.sendNotification("exit");
      expect(await ended).toEqual([0, null]);
      expect(editor.stderr).toBe("");
    },
  );

  it("tells how an editor is told about it", async () => {
    const { code, out } = await folder().run(["lsp", "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("budget-guard lsp");
  });

  it("refuses what it does not know", async () => {
    expect(await folder().run(["lsp", "--port=1"])).toMatchObject({ code: 2 });
  });
});
