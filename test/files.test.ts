import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../src/errors.ts";
import { readPolicies, type Source } from "../src/files.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "budget-guard-files-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string | Buffer): void {
  mkdirSync(join(root, name, ".."), { recursive: true });
  writeFileSync(join(root, name), text);
}

const read = (paths: readonly string[], asked = true): readonly Source[] =>
  readPolicies({ root, policy: { paths: paths.map((path) => join(root, path)), asked } });

describe("policy files", () => {
  it("are those of a folder by name, one level deep, without tests of policies", () => {
    write("policies/b.budget", "b");
    write("policies/a.budget", "a");
    write("policies/a.test.budget", "t");
    write("policies/deep/c.budget", "c");
    write("policies/notes.md", "n");
    expect(read(["policies"])).toEqual([
      { file: "policies/a.budget", text: "a" },
      { file: "policies/b.budget", text: "b" },
    ]);
  });

  it("are read once, in the order of the list that names them", () => {
    write("policies/a.budget", "a");
    write("z.budget", "z");
    const files = read(["z.budget", "policies", "policies/a.budget"]).map(({ file }) => file);
    expect(files).toEqual(["z.budget", "policies/a.budget"]);
  });

  it("are none where nobody asked for any and none is there", () => {
    expect(read(["policies"], false)).toEqual([]);
    mkdirSync(join(root, "policies"));
    expect(read(["policies"], false)).toEqual([]);
    expect(() => read(["policies"])).toThrow(/holds no \*\.budget file/);
    expect(() => read(["nowhere"])).toThrow(/nowhere does not exist/);
  });

  it("lose a byte order mark", () => {
    write("a.budget", Buffer.from([0xef, 0xbb, 0xbf, 0x61]));
    expect(read(["a.budget"])[0]?.text).toBe("a");
  });
});

describe("what cannot be read stops the start and is named", () => {
  it("where a folder is called like a policy", () => {
    mkdirSync(join(root, "policies/x.budget"), { recursive: true });
    expect(() => read(["policies"], false)).toThrow(ConfigError);
    expect(() => read(["policies"], false)).toThrow(/x\.budget cannot be read: EISDIR/);
  });

  it("where a link leads nowhere, or back to itself", () => {
    mkdirSync(join(root, "policies"));
    symlinkSync(join(root, "gone.budget"), join(root, "policies/x.budget"));
    expect(() => read(["policies"], false)).toThrow(/x\.budget cannot be read: ENOENT/);
    symlinkSync(join(root, "loop"), join(root, "loop"));
    expect(() => read(["loop"], false)).toThrow(ConfigError);
  });

  it("where it is no UTF-8", () => {
    write("latin.budget", Buffer.from('tenant.daily > $1 -> deny "caf\xe9"', "latin1"));
    expect(() => read(["latin.budget"])).toThrow(/latin\.budget is not UTF-8 text/);
    write("wide.budget", Buffer.from("\ufefftenant.daily > $1 -> deny", "utf16le"));
    expect(() => read(["wide.budget"])).toThrow(/is not UTF-8 text/);
  });
});
