/**
 * What most end-to-end tests share: a project whose app asks a fake provider, and calls that cost exactly $0.0125.
 * @module
 */
import { readFileSync } from "node:fs";
import type { FakeProvider } from "./fake-provider.ts";
import { type Finished, type Project, type ProjectWishes, project, type Running, type RunWishes } from "./run-app.ts";

/** node:sqlite runs unflagged from Node 22.13: several processes may share one file store. */
export const sharesFiles = (([major = 0, minor = 0]) => major > 22 || (major === 22 && minor >= 13))(
  process.versions.node.split(".").map(Number),
);

/** What came of one call, as apps/ask.mjs prints it. */
export interface Reply {
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, as far as it came. */
  readonly text: string;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string; readonly cause?: string };
}

export interface AskedCall {
  /** Text is sent as it is. */
  readonly body?: unknown;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** One identity, or several from the outermost `withBudget` inwards. */
  readonly identity?: unknown;
  /** Aborts once the answer holds this text. */
  readonly abort?: string;
  readonly timeoutMs?: number;
}

export interface Plan {
  readonly calls: readonly AskedCall[];
  readonly parallel?: boolean;
  /** Prints "ready" and starts at a line on stdin. */
  readonly wait?: boolean;
  /** Stays until its stdin ends. */
  readonly linger?: boolean;
  /** Prints `chunk CALL TEXT` for each chunk as it arrives. */
  readonly live?: boolean;
}

/** $0.0125 a call whatever the prompt: no price on input, and 100 tokens at $125 per million. */
export const fixedPrice = { "fixed-model": { input: 0, output: 125 } } as const;
export const fixedUsage = { input: 10, output: 100 } as const;
export const CALL = 0.0125;

let questions = 0;

/** A call of the fixed price; each asks something new unless told what. */
export function fixedCall(
  content?: string,
  more: Omit<AskedCall, "body"> & { readonly stream?: boolean } = {},
): AskedCall {
  questions += 1;
  const { stream, ...rest } = more;
  return {
    body: {
      model: "fixed-model",
      max_tokens: 100,
      messages: [{ role: "user", content: content ?? `question ${spelled(questions)}` }],
      ...(stream ? { stream: true } : {}),
    },
    ...rest,
  };
}

/** Digits may be normalised away by the fingerprint; letters are not. */
function spelled(count: number): string {
  return [...String(count)].map((digit) => "abcdefghij"[Number(digit)]).join("");
}

export const times = (count: number, make: () => AskedCall = fixedCall): AskedCall[] =>
  Array.from({ length: count }, () => make());

/** A project with the asking app and the fixed price, its provider named by BUDGET_GUARD_HOSTS. */
export function askingProject(provider: FakeProvider, wishes: ProjectWishes = {}): Project {
  const config = { prices: fixedPrice, ...(typeof wishes.config === "object" ? wishes.config : {}) };
  return project({
    ...wishes,
    config,
    files: { "app.mjs": app("ask"), ...wishes.files },
    env: { BUDGET_GUARD_HOSTS: `${provider.host}=openai`, BUDGET_GUARD_TENANT: "acme", ...wishes.env },
  });
}

/** The text of an application under test/support/apps. */
export function app(name: string): string {
  return readFileSync(new URL(`apps/${name}.mjs`, import.meta.url), "utf8");
}

export function startAsking(at: Project, provider: FakeProvider, plan: Plan, run: RunWishes = {}): Running {
  const text = JSON.stringify({ url: provider.url, ...plan });
  // A single argument may hold 128 KB on Linux.
  if (text.length > 100_000) at.write("plan.json", text);
  return at.start({ ...run, args: [text.length > 100_000 ? "@plan.json" : text] });
}

/** Runs the app to its end; a process that ended badly fails the test with what it printed. */
export async function asked(at: Project, provider: FakeProvider, plan: Plan, run: RunWishes = {}): Promise<Reply[]> {
  return replies(await startAsking(at, provider, plan, run).finished);
}

export function replies(end: Finished): Reply[] {
  if (end.code !== 0) throw new Error(`ended with ${end.code ?? end.signal}:\n${end.stdout}\n${end.stderr}`);
  return end.json<Reply[]>();
}

export const statuses = (results: readonly Reply[]): (number | null)[] => results.map(({ status }) => status);

/** How many of the results have this status. */
export const count = (results: readonly Reply[], status: number): number =>
  results.filter((result) => result.status === status).length;

export interface StatusMeter {
  readonly meter: string;
  readonly scope: Readonly<Record<string, string>>;
  readonly spent: number;
  readonly held: number;
  readonly limit: number | null;
}

export interface Status {
  readonly meters: readonly StatusMeter[];
  readonly closed: readonly {
    readonly rule: string | null;
    readonly scope: Readonly<Record<string, string>>;
    readonly kind: "paused" | "tripped";
    readonly since: string;
    readonly until: string | null;
  }[];
}

/** What `budget-guard status --json` says. */
export async function status(at: Project): Promise<Status> {
  const end = await at.cli("status", "--json");
  if (end.code !== 0) throw new Error(`status ended with ${end.code}:\n${end.stdout}\n${end.stderr}`);
  return end.json<Status>();
}

/** Spent and held of the one meter with these scope values; zero where nothing was counted. */
export function meterOf(found: Status, meter: string, scope: Readonly<Record<string, string>> = { tenant: "acme" }) {
  const row = found.meters.find(
    (candidate) =>
      candidate.meter === meter && Object.entries(scope).every(([name, value]) => candidate.scope[name] === value),
  );
  return { spent: row?.spent ?? 0, held: row?.held ?? 0 };
}

/** Asks again until it holds: for what only the passing of real time brings, such as the expiry of a hold. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (value: T) => boolean,
  withinMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export { clearOfTheHour } from "./clear-of-the-hour.ts";
