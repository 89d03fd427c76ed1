import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRoot, readConfig, unknownVariables } from "../src/config.ts";
import { ConfigError } from "../src/errors.ts";
import { readPolicies } from "../src/files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "budget-guard-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): void => {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), text);
};

describe("settings that are easily slipped into", () => {
  it("are a list of policies that names none, which would be a guard without rules", () => {
    expect(() => readConfig({ BUDGET_GUARD_POLICY: " , " }, folder)).toThrow(/names no file or folder/);
  });

  it("are a byte order mark before the JSON, which is no slip at all", () => {
    write("budget-guard.json", '\uFEFF{"store":{"strict":true}}');
    expect(readConfig({}, folder).storeOptions.strict).toBe(true);
  });
});

describe("the root", () => {
  it("is the nearest folder above that holds policies, budget-guard.json or package.json", () => {
    write("policies/a.budget", "");
    mkdirSync(join(folder, "deep", "er"), { recursive: true });
    expect(findRoot(join(folder, "deep", "er"))).toBe(folder);
  });
});

describe("settings from the environment", () => {
  it("has a default for everything", () => {
    write("package.json", "{}");
    expect(readConfig({}, folder)).toMatchObject({
      root: folder,
      mode: "enforce",
      policy: { asked: false },
      store: "file:.budget-guard/ledger.db",
      storeOptions: { deadlineMs: 250, localMillionths: 50_000, strict: false, holdMs: 60_000 },
      refusal: "response",
      otel: "auto",
      log: "warn",
    });
  });

  it("reads identity, dimensions and hosts", () => {
    const config = readConfig(
      {
        BUDGET_GUARD_TENANT: " acme ",
        BUDGET_GUARD_DIMENSIONS: "plan=pro, workflow=nightly",
        BUDGET_GUARD_HOSTS: "llm.internal:8443=openai,127.0.0.1:4010=anthropic",
      },
      folder,
    );
    expect(config.identity).toEqual({ tenant: "acme", plan: "pro", workflow: "nightly" });
    expect([...config.hosts]).toEqual([
      ["llm.internal:8443", "openai"],
      ["127.0.0.1:4010", "anthropic"],
    ]);
  });

  it.each([
    [{ BUDGET_GUARD_MODE: "enforced" }, 'BUDGET_GUARD_MODE is "enforced"; it can be enforce, shadow, off.'],
    [{ BUDGET_GUARD_HOSTS: "http://llm.internal/v1=openai" }, "is no host of a provider; write llm.internal:80."],
    [{ BUDGET_GUARD_HOSTS: "https://llm.internal=openai" }, "is no host of a provider; write llm.internal:443."],
    [{ BUDGET_GUARD_HOSTS: "llm.internal:99999=openai" }, "write host or host:port, as in llm.internal:8443."],
    [{ BUDGET_GUARD_HOSTS: "*.internal=openai" }, '"*.internal" is no host of a provider; write host or host:port'],
    [{ BUDGET_GUARD_POLICY: "nowhere" }, "which does not exist. Write it, or unset the variable"],
    [{ BUDGET_GUARD_CONFIG: "nowhere.json" }, "BUDGET_GUARD_CONFIG names nowhere.json, which does not exist"],
    [{ BUDGET_GUARD_HOSTS: "llm.internal" }, "which is not NAME=VALUE. Write it as BUDGET_GUARD_HOSTS="],
  ])("refuses %j with what to write instead", (env, message) => {
    expect(() => readConfig(env, folder)).toThrow(ConfigError);
    expect(() => readConfig(env, folder)).toThrow(message);
  });

  it("names variables that nobody reads", () => {
    expect(unknownVariables({ BUDGET_GUARD_TENENT: "x", BUDGET_GUARD_TENANT: "x", PATH: "" })).toEqual([
      "BUDGET_GUARD_TENENT",
    ]);
  });
});

describe("budget-guard.json", () => {
  it("sets store options, prices, hosts and identity sources", () => {
    write(
      "budget-guard.json",
      JSON.stringify({
        $schema: "./schema.json",
        hosts: { "llm.internal": "openai" },
        prices: { "my-model": { input: 0.2, output: 0.8, cacheRead: 0.02 } },
        identity: { incoming: { tenant: "X-Tenant-Id" }, baggage: ["tenant.id"] },
        store: { deadline: "100ms", local: "12.5%", strict: true, hold: "2s" },
        telemetry: { cost: ["gen_ai"] },
        audit: { file: ".budget-guard/audit.jsonl" },
      }),
    );
    expect(readConfig({}, folder)).toMatchObject({
      prices: { "my-model": { input: 0.2, output: 0.8, cacheRead: 0.02 } },
      incoming: { tenant: "x-tenant-id" },
      baggage: ["tenant.id"],
      storeOptions: { deadlineMs: 100, localMillionths: 125_000, strict: true, holdMs: 2_000 },
      telemetry: { cost: ["gen_ai"] },
      audit: { file: join(folder, ".budget-guard/audit.jsonl") },
    });
  });

  it("keeps no audit log unless it is asked to, and takes an absolute path as it is", () => {
    expect(readConfig({}, folder).audit).toBeNull();
    write("budget-guard.json", JSON.stringify({ audit: { file: "/var/log/audit.jsonl" } }));
    expect(readConfig({}, folder).audit).toEqual({ file: "/var/log/audit.jsonl" });
  });

  it.each([
    ["{", "is not readable JSON"],
    ['{"hosts": {"http://llm.internal:8443/": "openai"}}', "is no host of a provider; write llm.internal:8443."],
    ['{"identity": {"incoming": {"tenant": "x tenant"}}}', 'must be the name of a header, such as "x-tenant-id".'],
    ['{"sotre": {}}', "sotre is not a setting; there are $schema, hosts"],
    ['{"store": {"deadlin": "1s"}}', "store.deadlin is not a setting; there are deadline"],
    ['{"store": {"deadline": 250}}', 'store.deadline is 250; write a duration such as "250ms"'],
    ['{"store": {"local": "500%"}}', 'store.local is "500%"; write a share such as "5%"'],
    ['{"prices": {"m": {"input": 5000000, "output": 1}}}', "prices are dollars per million tokens, from 0 to 10000"],
    ['{"prices": {"m": {"input": -1, "output": 1}}}', "prices.m.input is -1"],
    ['{"prices": {"m": {"input": 1}}}', "prices.m.output is undefined"],
    ['{"audit": "audit.jsonl"}', "audit must be an object"],
    ['{"audit": {}}', 'audit.file must be a path, such as ".budget-guard/audit.jsonl"'],
    ['{"audit": {"file": " "}}', "audit.file must be a path"],
    ['{"audit": {"path": "x"}}', "audit.path is not a setting; there are file"],
    ['{"alerts": []}', "alerts does not run in this version yet"],
  ])("refuses %s and names the key", (text, message) => {
    write("budget-guard.json", text);
    expect(() => readConfig({}, folder)).toThrow(message);
  });
});

describe("policy files", () => {
  it("are the *.budget files of the folder itself, without tests, in name order", () => {
    for (const name of ["b.budget", "a.budget", "a.test.budget", "deeper/c.budget", "notes.md"])
      write(`policies/${name}`, name);
    expect(readPolicies(readConfig({}, folder))).toEqual([
      { file: "policies/a.budget", text: "a.budget" },
      { file: "policies/b.budget", text: "b.budget" },
    ]);
  });

  it("may be absent when nobody asked for them, and must be there when someone did", () => {
    expect(readPolicies(readConfig({}, folder))).toEqual([]);
    mkdirSync(join(folder, "rules"));
    const config = readConfig({ BUDGET_GUARD_POLICY: "rules" }, folder);
    expect(() => readPolicies(config)).toThrow("holds no *.budget file");
  });

  it("are read once though named twice", () => {
    write("policies/a.budget", "x");
    const config = readConfig({ BUDGET_GUARD_POLICY: "policies,policies/a.budget" }, folder);
    expect(readPolicies(config)).toHaveLength(1);
  });
});
