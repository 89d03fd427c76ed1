import { expect, it } from "vitest";
import { printable, wantsColour } from "../../src/cli/terminal.ts";

it.each([
  [{}, true, true],
  [{}, false, false],
  [{ TERM: "dumb" }, true, false],
  [{ NO_COLOR: "1" }, true, false],
  [{ NO_COLOR: "" }, true, true],
  [{ FORCE_COLOR: "1" }, false, true],
  [{ FORCE_COLOR: "" }, false, true],
  [{ FORCE_COLOR: "0" }, true, false],
  [{ FORCE_COLOR: "false" }, true, false],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false, true],
])("with %j and a terminal: %s, colour is %s", (env, isTerminal, colour) => {
  expect(wantsColour(env, isTerminal)).toBe(colour);
});

it("text from a policy or from traffic moves no cursor and sets no title", () => {
  expect(printable("tenant\t\u001b]0;owned\u0007\r\u001b[2K\u009b31m\nnext", true)).toBe(
    "tenant\t\ufffd]0;owned\ufffd\ufffd\ufffd[2K\ufffd31m\nnext",
  );
  expect(printable("\u001b[31mred\u001b[39m", true)).toBe("\u001b[31mred\u001b[39m");
  expect(printable("\u001b[31mred\u001b[39m", false)).toBe("\ufffd[31mred\ufffd[39m");
});
