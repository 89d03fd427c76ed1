/**
 * The live test: processes with the guard call a provider on the loopback interface by every client. Under a policy that
 * denies all, nothing may arrive; under one that denies nothing, all must, and stand in the ledger at their price.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withRegister } from "../node-options.ts";
import { moduleFile, preloadFile } from "../paths.ts";
import { type Check, check } from "./doctor-check.ts";
import { BARE, type Copy } from "./doctor-clients.ts";
import type { Answer, Task } from "./doctor-patient.ts";
import { type DoctorProvider, PRICE, PRICES, startProvider } from "./doctor-provider.ts";
import type { World } from "./verb.ts";

/** How the application's own process is started. */
export interface Start {
  readonly execPath: string;
  readonly flags: readonly string[];
}

const POLICIES = {
  deny: 'when tenant == "doctor" -> deny\ncall.unmetered -> deny\n',
  allow: "tenant.total > $1000000 -> deny\ntenant.calls.total > 1000000 -> deny\n",
} as const;

/** All clients together may take so long, ms. */
const PATIENCE = 45_000;

/** What one process answered, and what had arrived when it was over. */
interface Result {
  readonly answers: readonly Answer[];
  readonly arrived: ReadonlyMap<string, number>;
  readonly bytes: number;
  readonly stderr: string;
}

/** Examines every client of a process that is started like this, in this folder and environment. */
export async function examine(start: Start, copies: readonly Copy[], world: World): Promise<readonly Check[]> {
  const folder = mkdtempSync(join(tmpdir(), "budget-guard-doctor-"));
  try {
    const [denied, allowed] = await Promise.all([
      treat("deny", folder, start, copies, world),
      treat("allow", folder, start, copies, world),
    ]);
    return compared(denied, allowed);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function treat(
  kind: keyof typeof POLICIES,
  folder: string,
  start: Start,
  copies: readonly Copy[],
  world: World,
): Promise<Result> {
  const provider = await startProvider();
  try {
    const policy = join(folder, `${kind}.budget`);
    const settings = join(folder, `${kind}.json`);
    writeFileSync(policy, POLICIES[kind]);
    writeFileSync(settings, JSON.stringify({ prices: PRICES }));
    const task: Task = { plain: provider.plain, h2: provider.h2, copies };
    const env = {
      ...world.env,
      ...settingsOf(provider, policy, settings),
      NODE_OPTIONS: withRegister(world.env.NODE_OPTIONS, preloadFile),
    };
    const { answers, stderr } = await ask(start, task, env, world.cwd);
    return { answers, stderr, arrived: provider.arrived, bytes: provider.bytes() };
  } finally {
    await provider.close();
  }
}

/** Nothing of the application's own ledger and traces is touched. */
function settingsOf(provider: DoctorProvider, policy: string, settings: string): Readonly<Record<string, string>> {
  const hosts = [provider.plain, provider.h2].map((url) => `${new URL(url).host}=openai`);
  return {
    BUDGET_GUARD_POLICY: policy,
    BUDGET_GUARD_CONFIG: settings,
    BUDGET_GUARD_STORE: "memory:",
    BUDGET_GUARD_HOSTS: hosts.join(","),
    BUDGET_GUARD_TENANT: "doctor",
    BUDGET_GUARD_MODE: "enforce",
    BUDGET_GUARD_REFUSAL: "response",
    BUDGET_GUARD_LOG: "warn",
    BUDGET_GUARD_OTEL: "off",
    OTEL_SDK_DISABLED: "true",
    NO_PROXY: "127.0.0.1",
  };
}

function ask(
  { execPath, flags }: Start,
  task: Task,
  env: World["env"],
  cwd: string,
): Promise<{ readonly answers: readonly Answer[]; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const args = [...flags, moduleFile("cli/doctor-patient"), JSON.stringify(task)];
    const child = spawn(execPath, args, { cwd, env, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    const answers: Answer[] = [];
    let stderr = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("message", (answer) => answers.push(answer as Answer));
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      resolve({ answers, stderr });
    });
  });
}

function compared(denied: Result, allowed: Result): readonly Check[] {
  if (denied.answers.length === 0 || allowed.answers.length === 0) {
    const said = (denied.stderr || allowed.stderr).trim().split("\n").slice(0, 5).join("\n");
    return [
      check("clients", "fail", "self-test", `the process under test told nothing${said && `; it said:\n${said}`}`),
    ];
  }
  const checks = denied.answers.map((one) => {
    const other = allowed.answers.find(({ client }) => client === one.client);
    return oneClient(one, other, { denied, allowed });
  });
  const left = denied.bytes;
  const nothing = left === 0 ? check("clients", "ok", "bytes", "0 left while all was denied") : leaked(left);
  return [...checks, nothing];
}

const leaked = (bytes: number): Check =>
  check("clients", "fail", "bytes", `${bytes} bytes left over HTTP/1.1 while all was denied`, UNCOVERED);

const UNCOVERED =
  "Something in this process takes the place of node's own clients. Load budget-guard first, before any other preload.";

function oneClient(
  denied: Answer,
  allowed: Answer | undefined,
  results: { readonly denied: Result; readonly allowed: Result },
): Check {
  const name = denied.client;
  const escaped = results.denied.arrived.get(name) ?? 0;
  if (escaped > 0) return check("clients", "fail", name, `not refused: ${escaped} of its calls arrived`, UNCOVERED);
  const unable = failedToLoad(denied, allowed);
  if (unable !== null) return check("clients", "warn", name, `cannot be used on this Node: ${unable}`);
  const refused = denied.status === null ? "refused" : `refused with ${denied.status}`;
  if (denied.status !== null && denied.status !== 402) {
    return check("clients", "fail", name, `answered ${denied.status} where 402 was due`, UNCOVERED);
  }
  if (allowed === undefined || allowed.status === null) {
    const why = allowed?.error ?? "no answer";
    return check("clients", "fail", name, `${refused}, but not let through when it was allowed: ${why}`);
  }
  const arrived = results.allowed.arrived.get(name) ?? 0;
  if (arrived !== 1 || !(allowed.status === 200 || allowed.status === 101)) {
    return check(
      "clients",
      "fail",
      name,
      `${refused}; when allowed, ${arrived} arrived and the answer was ${allowed.status}`,
    );
  }
  return charged(name, refused, allowed, results.allowed.stderr);
}

function charged(name: string, refused: string, { status, cost, calls }: Answer, stderr: string): Check {
  if (name === BARE) {
    return stderr.includes("went past every hook")
      ? check("clients", "ok", name, `${refused} by \`call.unmetered -> deny\`, else let go and reported`)
      : check("clients", "fail", name, `${refused}, but not reported when it was allowed`);
  }
  if (calls !== 1 || cost !== PRICE) {
    const found =
      calls === null ? "there is no guard in it" : `the ledger holds ${calls} calls at $${(cost ?? 0) / 1e9}`;
    return check("clients", "fail", name, `${refused}; allowed with ${status}, but ${found}`, UNCOVERED);
  }
  return check("clients", "ok", name, `${refused}; allowed with ${status}, charged $${PRICE / 1e9}`);
}

/** A copy of undici that this Node cannot load fails alike whatever the policy says. */
function failedToLoad(denied: Answer, allowed: Answer | undefined): string | null {
  if (!denied.client.startsWith("undici ") || denied.status !== null) return null;
  return denied.error !== null && denied.error === allowed?.error ? denied.error : null;
}
