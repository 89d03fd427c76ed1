/**
 * A process that runs on and calls its provider when a test tells it to.
 * In: a project of `linesProject`. Out: what came of each call.
 * @module
 */
import { app, askingProject, fixedCall } from "./asking.ts";
import type { FakeProvider } from "./fake-provider.ts";
import type { Finished, Project, ProjectWishes, RunWishes } from "./run-app.ts";

export interface Lines {
  /** Makes one call that costs $0.0125; resolves to the status of its answer, and what it says. */
  ask(headers?: Readonly<Record<string, string>>): Promise<{ readonly status: number; readonly message: string }>;
  /** Calls a function of budget-guard's own in that process; resolves to what it gave. */
  api(name: string, ...args: readonly unknown[]): Promise<unknown>;
  /** Ends its stdin, and with it the process. */
  end(): Promise<Finished>;
}

export const linesProject = (provider: FakeProvider, wishes: ProjectWishes = {}): Project =>
  askingProject(provider, { ...wishes, files: { "lines.mjs": app("lines"), ...wishes.files } });

/** Starts the process and waits until it listens. */
export async function startLines(at: Project, provider: FakeProvider, run: RunWishes = {}): Promise<Lines> {
  const running = at.start({ ...run, script: "lines.mjs", args: [provider.url] });
  await running.printed("ready");
  let count = 0;
  /** Tells it one thing, and waits for the line that answers it. */
  async function tell(what: object): Promise<{ readonly status: number; readonly text: string }> {
    count += 1;
    const id = `call-${count}`;
    running.tell(JSON.stringify({ id, ...what }));
    await running.printed(`"id":"${id}"`);
    const line = running
      .stdout()
      .split("\n")
      .find((one) => one.includes(`"id":"${id}"`));
    return JSON.parse(line ?? "") as { status: number; text: string };
  }
  return {
    async ask(headers = {}) {
      const { status, text } = await tell({ body: fixedCall().body, headers });
      const answer = JSON.parse(text) as { message?: string };
      return { status, message: answer.message ?? "" };
    },
    async api(name, ...args) {
      return JSON.parse((await tell({ api: name, args })).text);
    },
    end() {
      running.process.stdin?.end();
      return running.finished;
    },
  };
}
