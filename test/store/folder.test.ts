import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolders } from "../../src/store/folder.ts";

let at: string;
beforeEach(() => {
  at = mkdtempSync(join(tmpdir(), "budget-guard-folder-"));
});
afterEach(() => rmSync(at, { recursive: true, force: true }));

describe("making folders", () => {
  it("makes those above too, and minds none that is there", () => {
    const deep = join(at, "a", "b", "c");
    makeFolders(deep);
    makeFolders(deep);
    expect(existsSync(deep)).toBe(true);
  });

  it("fails with the file system's own error where a file is in the way", () => {
    writeFileSync(join(at, "file"), "");
    expect(() => makeFolders(join(at, "file", "below"))).toThrow(/ENOTDIR/);
  });

  // /proc says ENOENT to whoever makes a folder in it; Node's own recursive mkdir never comes back from there.
  it.runIf(process.platform === "linux")("comes to an end where a folder takes no new ones", () => {
    expect(() => makeFolders("/proc/budget-guard/below")).toThrow(/ENOENT/);
  });
});
