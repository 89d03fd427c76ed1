/**
 * Deployment settings: environment and `budget-guard.json` → one frozen `Config`. Every default stands in one table.
 * In: an environment, a working directory. Out: `Config`, or a `ConfigError` that says what to write instead.
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { namedAddress } from "./call/host-address.ts";
import { type ConfigFile, readConfigFile } from "./config-file.ts";
import { ConfigError } from "./errors.ts";

export type Mode = "enforce" | "shadow" | "off";
export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

export interface Config {
  /** Nearest folder at or above the working directory that holds budget-guard.json, policies/ or package.json. */
  readonly root: string;
  readonly mode: Mode;
  /** Absolute paths of policy files and folders. `asked`: someone named them, so they must exist. */
  readonly policy: { readonly paths: readonly string[]; readonly asked: boolean };
  /** A store URL: `file:PATH` (relative to the root), `memory:`, `redis://...`. */
  readonly store: string;
  readonly storeOptions: StoreOptions;
  /** Identity of the process, used where a call gives none. Scope or dimension → value. */
  readonly identity: Readonly<Record<string, string>>;
  /** Dimension → header of the incoming request, lower case. Empty: not read. */
  readonly incoming: Readonly<Record<string, string>>;
  /** Baggage keys that may name an identity, such as `tenant.id`. Empty: not read. */
  readonly baggage: readonly string[];
  /** `host` or `host:port` → provider name. */
  readonly hosts: ReadonlyMap<string, string>;
  readonly prices: ConfigFile["prices"];
  readonly refusal: "response" | "throw";
  readonly otel: "auto" | "api" | "off";
  readonly log: LogLevel;
  readonly telemetry: { readonly cost: readonly CostConvention[] };
  /** The audit log: an absolute path; null where none is kept. */
  readonly audit: { readonly file: string } | null;
}

/** Which attribute names carry the cost: `gen_ai.usage.cost`, `llm.cost.*`, `operation.cost`. */
export type CostConvention = "gen_ai" | "openinference" | "logfire";

export interface StoreOptions {
  /** How long a call waits for the store before it counts as down, ms. */
  readonly deadlineMs: number;
  /** The share of each spending limit that one process may use while the store is down, in millionths. */
  readonly localMillionths: number;
  /** With no `store.down` rule: refuse instead of counting locally. */
  readonly strict: boolean;
  /** How long a hold outlives the last sign of life of its process, ms. */
  readonly holdMs: number;
}

export const defaults = {
  policy: "policies",
  store: "file:.budget-guard/ledger.db",
  config: "budget-guard.json",
  mode: "enforce",
  refusal: "response",
  otel: "auto",
  log: "warn",
  deadlineMs: 250,
  localMillionths: 50_000,
  strict: false,
  holdMs: 60_000,
  cost: ["gen_ai", "openinference", "logfire"],
} as const;

type Env = Readonly<Record<string, string | undefined>>;

const identityVariables = ["tenant", "feature", "agent", "user", "run"] as const;

/** Every variable that is read. */
export const variables: readonly string[] =
  "POLICY STORE CONFIG MODE TENANT FEATURE AGENT USER RUN DIMENSIONS HOSTS REFUSAL OTEL LOG"
    .split(" ")
    .map((name) => `BUDGET_GUARD_${name}`);

/** Reads the settings; throws `ConfigError` on the first that cannot be. */
export function readConfig(env: Env, cwd: string): Config {
  const root = findRoot(cwd);
  const named = text(env.BUDGET_GUARD_CONFIG);
  const path = resolve(root, named ?? defaults.config);
  if (named !== null && !existsSync(path)) {
    throw new ConfigError(`BUDGET_GUARD_CONFIG names ${named}, which does not exist (looked for ${path}).`);
  }
  const file: ConfigFile = existsSync(path) ? readConfigFile(path) : {};
  return Object.freeze({
    root,
    mode: oneOf(env, "BUDGET_GUARD_MODE", ["enforce", "shadow", "off"], defaults.mode),
    policy: policyPaths(env, root),
    store: text(env.BUDGET_GUARD_STORE) ?? defaults.store,
    storeOptions: Object.freeze({
      deadlineMs: file.store?.deadlineMs ?? defaults.deadlineMs,
      localMillionths: file.store?.localMillionths ?? defaults.localMillionths,
      strict: file.store?.strict ?? defaults.strict,
      holdMs: file.store?.holdMs ?? defaults.holdMs,
    }),
    identity: identityOf(env),
    incoming: file.identity?.incoming ?? {},
    baggage: file.identity?.baggage ?? [],
    hosts: hostsOf(env, file),
    prices: file.prices,
    refusal: oneOf(env, "BUDGET_GUARD_REFUSAL", ["response", "throw"], defaults.refusal),
    otel: oneOf(env, "BUDGET_GUARD_OTEL", ["auto", "api", "off"], defaults.otel),
    log: oneOf(env, "BUDGET_GUARD_LOG", ["silent", "error", "warn", "info", "debug"], defaults.log),
    telemetry: Object.freeze({ cost: file.telemetry?.cost ?? defaults.cost }),
    audit: file.audit === undefined ? null : Object.freeze({ file: resolve(root, file.audit.file) }),
  });
}

/** Variables that begin like ours but are read by nobody: most likely a slip. */
export function unknownVariables(env: Env): readonly string[] {
  return Object.keys(env).filter(
    (name) => name.startsWith("BUDGET_GUARD_") && !variables.includes(name) && !name.startsWith("BUDGET_GUARD_TEST_"),
  );
}

/** Walks up from the working directory; falls back to it. */
export function findRoot(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (["budget-guard.json", "policies", "package.json"].some((name) => existsSync(join(folder, name)))) return folder;
    if (dirname(folder) === folder) return cwd;
  }
}

function policyPaths(env: Env, root: string): Config["policy"] {
  const named = text(env.BUDGET_GUARD_POLICY);
  if (named === null) return { paths: [join(root, defaults.policy)], asked: false };
  const paths = named
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => (isAbsolute(part) ? part : join(root, part)));
  if (paths.length === 0) throw new ConfigError(`BUDGET_GUARD_POLICY is "${named}", which names no file or folder.`);
  for (const path of paths) {
    if (!existsSync(path)) {
      throw new ConfigError(
        `BUDGET_GUARD_POLICY names ${path}, which does not exist. Write it, or unset the variable: then policies/ is ` +
          "read, and `npx budget-guard init` writes a first policy there.",
      );
    }
  }
  return { paths, asked: true };
}

function identityOf(env: Env): Readonly<Record<string, string>> {
  const identity: Record<string, string> = {};
  for (const name of identityVariables) {
    const value = text(env[`BUDGET_GUARD_${name.toUpperCase()}`]);
    if (value !== null) identity[name] = value;
  }
  return Object.freeze({ ...pairs(env, "BUDGET_GUARD_DIMENSIONS", "plan=pro,workflow=nightly"), ...identity });
}

function hostsOf(env: Env, file: ConfigFile): ReadonlyMap<string, string> {
  const named = pairs(env, "BUDGET_GUARD_HOSTS", "llm.internal:8443=openai,127.0.0.1:4010=anthropic");
  const hosts = new Map([...Object.entries(file.hosts ?? {}), ...Object.entries(named)]);
  for (const address of hosts.keys()) namedAddress(address);
  return hosts;
}

function pairs(env: Env, name: string, example: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of (text(env[name]) ?? "").split(",")) {
    if (part.trim() === "") continue;
    const [key = "", value = ""] = part.split("=", 2).map((side) => side.trim());
    if (key === "" || value === "") {
      throw new ConfigError(`${name} holds "${part.trim()}", which is not NAME=VALUE. Write it as ${name}=${example}.`);
    }
    found[key] = value;
  }
  return found;
}

function oneOf<const T extends string>(env: Env, name: string, values: readonly T[], otherwise: T): T {
  const given = text(env[name]);
  if (given === null) return otherwise;
  const found = values.find((value) => value === given.toLowerCase());
  if (found === undefined) throw new ConfigError(`${name} is "${given}"; it can be ${values.join(", ")}.`);
  return found;
}

function text(value: string | undefined): string | null {
  const trimmed = value?.trim() ?? "";
  return trimmed === "" ? null : trimmed;
}
