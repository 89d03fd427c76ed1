import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

describe("every test of this suite", () => {
  it("runs where no code may be made from strings", () => {
    expect(() => new Function("return 1")).toThrow(EvalError);
  });

  it("starts its processes so, too", () => {
    const { stdout } = spawnSync(process.execPath, [
      "-e",
      'try { new Function("") } catch (e) { console.log(e.name) }',
    ]);
    expect(stdout.toString()).toBe("EvalError\n");
  });
});
