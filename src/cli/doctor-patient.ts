/**
 * The process that the doctor examines: one that has the guard, as the application's has, and calls a server on the
 * loopback interface by every client in turn. It tells its parent what came of each.
 * @module
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parentPort, Worker } from "node:worker_threads";
import { reason } from "./doctor-check.ts";
import { type Client, type Copy, clientsOf, SESSIONS, type Target } from "./doctor-clients.ts";

/** What a patient is asked to do, as JSON in its first argument. */
export interface Task extends Target {
  readonly copies: readonly Copy[];
  /** Only this client; absent: all of them, and processes and threads below. */
  readonly only?: string;
  /** What the calls of another process or thread are called. */
  readonly as?: string;
}

/** What came of one call. */
export interface Answer {
  readonly client: string;
  readonly status: number | null;
  readonly error: string | null;
  /** What the ledger has counted for it: nano-dollars, and calls; null where this process has no guard. */
  readonly cost: number | null;
  readonly calls: number | null;
}

/** As much of what the preload leaves (src/shared.ts) as is read here. */
interface Guard {
  readonly ledger: {
    readonly store: { list(meters: readonly unknown[]): Promise<readonly { readonly spent: number }[]> };
    readonly plan: { readonly meters: readonly { readonly metric: string }[] };
  } | null;
  flush(): Promise<void>;
}

/** One call may take so long, ms. */
const PATIENCE = 4_000;
/** How often, and how far apart, the ledger is looked at until it has the call, ms. */
const LOOKS = 40;
const PAUSE = 25;

const here = fileURLToPath(import.meta.url);

async function examine(task: Task, tell: (answer: Answer) => void): Promise<void> {
  for (const [name, client] of clientsOf(task.copies)) {
    if (task.only === undefined || task.only === name) tell(await answerOf(task, task.as ?? name, name, client));
  }
  if (task.only !== undefined) return;
  tell(await within("worker thread", (as) => inThread({ ...task, only: "fetch", as })));
  tell(await within("child process", (as) => inChild({ ...task, only: "fetch", as })));
}

async function answerOf(task: Task, as: string, name: string, client: Client): Promise<Answer> {
  return within(as, async () => {
    const before = await counted();
    const [endpoint, more] = SESSIONS.has(name)
      ? ["/v1/realtime", "&model=doctor-model"]
      : ["/v1/chat/completions", ""];
    let [status, error]: [number | null, string | null] = [null, null];
    try {
      status = await client(task, `${endpoint}?client=${encodeURIComponent(as)}${more}`);
    } catch (failure) {
      error = reason(failure);
    }
    let after = await counted();
    for (let look = 0; look < LOOKS && status !== null && status < 300 && after?.calls === before?.calls; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      after = await counted();
    }
    const grown = (of: "cost" | "calls"): number | null =>
      before === null || after === null ? null : after[of] - before[of];
    return { client: as, status, error, cost: grown("cost"), calls: grown("calls") };
  });
}

async function counted(): Promise<{ readonly cost: number; readonly calls: number } | null> {
  const guard: unknown = Reflect.get(globalThis, Symbol.for("budget-guard.v1"));
  if (typeof guard !== "object" || guard === null) return null;
  const { ledger, flush } = guard as Guard;
  if (ledger === null) return null;
  await flush();
  const spent = async (metric: string): Promise<number> => {
    const meters = ledger.plan.meters.filter((meter) => meter.metric === metric);
    return (await ledger.store.list(meters)).reduce((sum, state) => sum + state.spent, 0);
  };
  return { cost: await spent("cost"), calls: await spent("calls") };
}

/** The answer, or that none came in time. */
async function within(client: string, make: (client: string) => Promise<Answer>): Promise<Answer> {
  const none = (error: string): Answer => ({ client, status: null, error, cost: null, calls: null });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(() => resolve(none(`no answer within ${PATIENCE / 1000} seconds`)), PATIENCE);
  });
  try {
    return await Promise.race([make(client), late]);
  } catch (error) {
    return none(reason(error));
  } finally {
    clearTimeout(timer);
  }
}

function inThread(task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(here, { argv: [JSON.stringify(task)] });
    worker.once("message", (answer: Answer) => {
      resolve(answer);
      void worker.terminate();
    });
    worker.once("error", reject).once("exit", () => reject(new Error("the thread ended without an answer")));
  });
}

function inChild(task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [here, JSON.stringify(task)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.once("message", (answer) => resolve(answer as Answer));
    child.once("error", reject).once("exit", () => reject(new Error("the process ended without an answer")));
  });
}

/** A thread's or a process's own voice. */
function voice(): (answer: Answer) => void {
  if (parentPort !== null) return (answer) => parentPort?.postMessage(answer);
  return (answer) => process.send?.(answer);
}

// A process that serves none but its parent ends when its parent does.
process.once("disconnect", () => process.exit());
void examine(JSON.parse(process.argv[2] ?? "{}") as Task, voice()).finally(() => {
  if (process.connected) process.disconnect();
});
