import { expect, test } from "vitest";
import { createLog } from "../../src/telemetry/log.ts";

function spoken(level: Parameters<typeof createLog>[0]) {
  const lines: string[] = [];
  return { lines, log: createLog(level, (line) => lines.push(line)) };
}

test("says each message on a line of its own with the package's name in front", () => {
  const { lines, log } = spoken("info");
  log.info("ready");
  log.error("broken");
  expect(lines).toEqual(["budget-guard: ready\n", "budget-guard: broken\n"]);
});

test.each([
  ["silent", []],
  ["error", ["e"]],
  ["warn", ["e", "w"]],
  ["info", ["e", "w", "i"]],
  ["debug", ["e", "w", "i", "d"]],
] as const)("at %s it says %j", (level, expected) => {
  const { lines, log } = spoken(level);
  log.error("e");
  log.warn("w");
  log.info("i");
  log.debug("d");
  expect(lines).toEqual(expected.map((letter) => `budget-guard: ${letter}\n`));
});

test("never throws, even where nobody reads stderr any more", () => {
  const log = createLog("debug", () => {
    throw Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
  });
  expect(() => log.error("gone")).not.toThrow();
});

test("says a repeated warning once per key, and stays below its level", () => {
  const { lines, log } = spoken("warn");
  log.once("a", "warn", "first");
  log.once("a", "warn", "again");
  log.once("b", "warn", "other");
  log.once("c", "info", "too quiet");
  expect(lines).toEqual(["budget-guard: first\n", "budget-guard: other\n"]);
});

test("a model name cannot forge a terminal sequence or return to the start of the line", () => {
  const { lines, log } = spoken("warn");
  log.warn("model \u001b[2Jgpt\r5\u009b");
  expect(lines).toEqual(["budget-guard: model  [2Jgpt 5 \n"]);
});
