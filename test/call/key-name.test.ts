import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyName } from "../../src/call/key-name.ts";
import { anIdentity } from "./builders.ts";

const named = (key: string): string => `key-${createHash("sha256").update(key).digest("hex").slice(0, 12)}`;

describe("the name of an API key", () => {
  it.each([
    [{ authorization: "Bearer sk-one" }],
    [{ authorization: "bearer   sk-one " }],
    [{ "x-api-key": "sk-one" }],
    [{ "api-key": " sk-one" }],
    [{ "x-goog-api-key": "sk-one" }],
    [{ authorization: "Bearer sk-one", "x-api-key": "other" }],
    [{ authorization: "Basic abc", "x-api-key": "sk-one" }],
  ])("in %j is a piece of the hash of sk-one", (headers) => {
    expect(keyName(headers)).toBe(named("sk-one"));
    expect(keyName(headers)).toBe(named("sk-one"));
  });

  it.each([
    [{}],
    [{ authorization: "Bearer " }],
    [{ authorization: "Basic abc" }],
    [{ authorization: "AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=y" }],
    [{ "x-api-key": "  " }],
  ])("in %j is none", (headers) => {
    expect(keyName(headers)).toBe("(none)");
  });

  it("is of the key in the address, where no header has one", () => {
    expect(keyName({}, "/v1beta/models/m:generateContent?alt=sse&key=sk-query")).toBe(named("sk-query"));
    expect(keyName({}, "/openai/realtime?api-key=sk-query")).toBe(named("sk-query"));
    expect(keyName({ "x-goog-api-key": "sk-head" }, "/v1?key=sk-query")).toBe(named("sk-head"));
    expect(keyName({}, "/v1?monkey=sk-query")).toBe("(none)");
    expect(anIdentity({ headers: {}, wantsKey: "/v1?key=sk-query" }).values.key).toBe(named("sk-query"));
  });

  it("stays right past the number of keys that it remembers", () => {
    const keys = Array.from({ length: 300 }, (_, index) => `sk-${index % 150}`);
    for (const key of keys) expect(keyName({ "x-api-key": key })).toBe(named(key));
  });
});

describe("an identity", () => {
  const headers = { authorization: "Bearer sk-secret", "x-budget-key": "forged" };

  it("has the key's name only where it is wanted, and never the key", () => {
    expect(anIdentity({ headers }).values.key).toBeUndefined();
    const { values } = anIdentity({ headers, wantsKey: true });
    expect(values.key).toBe(named("sk-secret"));
    expect(JSON.stringify(values)).not.toContain("sk-secret");
  });

  it("takes nobody's word for the key", () => {
    const given = { headers, wantsKey: true, context: { key: "mine" }, environment: { key: "mine" } };
    expect(anIdentity(given).values.key).toBe(named("sk-secret"));
  });
});
