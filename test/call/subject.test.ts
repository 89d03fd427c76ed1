import { expect, test } from "vitest";
import { subjectOf } from "../../src/call/subject.ts";

test("the same values are the same subject, frozen", () => {
  const one = subjectOf({ tenant: "acme", run: "r1" }, "gpt-5", "openai");
  expect(one).toEqual({ tenant: "acme", run: "r1", model: "gpt-5", provider: "openai" });
  expect(Object.isFrozen(one)).toBe(true);
  expect(subjectOf({ tenant: "acme", run: "r1" }, "gpt-5", "openai")).toBe(one);
});

test("another value, name, model or provider is another subject", () => {
  const all = [
    subjectOf({ tenant: "acme", run: "r1" }, "gpt-5", "openai"),
    subjectOf({ tenant: "acme", run: "r2" }, "gpt-5", "openai"),
    subjectOf({ tenant: "acme", user: "r1" }, "gpt-5", "openai"),
    subjectOf({ tenant: "acme", run: "r1" }, "gpt-4o", "openai"),
    subjectOf({ tenant: "acme", run: "r1" }, "gpt-5", "azure"),
  ];
  expect(new Set(all).size).toBe(5);
});

test("ten thousand subjects are right, though not all are remembered", () => {
  for (let index = 0; index < 10_000; index++) {
    const run = `run-${index}`;
    expect(subjectOf({ run }, "m", "p").run).toBe(run);
  }
  expect(subjectOf({ run: "run-0" }, "m", "p")).toEqual({ run: "run-0", model: "m", provider: "p" });
});
