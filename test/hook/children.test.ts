import childProcess from "node:child_process";
import threads from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { followChildren, type Upbringing } from "../../src/hook/children.ts";

const installed: { dispose(): void }[] = [];
afterEach(() => {
  for (const { dispose } of installed.splice(0)) dispose();
});

function follow(change: Partial<Upbringing> = {}): void {
  const upbringing: Upbringing = {
    inherit: (read, certain) => ({ ADDED: `${read("GIVEN")}${certain ? " to node" : ""}` }),
    execArgv: ["--no-warnings"],
    atHome: () => true,
    ...change,
  };
  installed.push(followChildren(upbringing));
}

const PRINT = ["-e", "console.log(JSON.stringify([process.env.GIVEN, process.env.ADDED, process.env.INHERITED]))"];
const told = (env: object): unknown =>
  JSON.parse(childProcess.execFileSync(process.execPath, PRINT, { env: env as NodeJS.ProcessEnv, encoding: "utf8" }));

/** All that is changed for it. */
const snapshot = (): unknown => [
  Object.getOwnPropertyDescriptors(childProcess.ChildProcess.prototype),
  Object.getOwnPropertyDescriptors(childProcess),
  Object.getOwnPropertyDescriptors(threads),
];

describe("following children", () => {
  it("leaves everything as it was when it is disposed of, in modules that were imported by name, too", async () => {
    const before = snapshot();
    const imported = await import("node:worker_threads");
    const { Worker } = imported;
    follow();
    expect(imported.Worker).not.toBe(Worker);
    expect([imported.Worker.name, imported.Worker.prototype]).toEqual(["Worker", Worker.prototype]);
    expect(snapshot()).not.toEqual(before);
    for (const { dispose } of installed.splice(0)) dispose();
    expect(imported.Worker).toBe(Worker);
    expect(snapshot()).toEqual(before);
  });

  it("happens once, whoever asks again", () => {
    follow();
    follow({ inherit: () => ({ ADDED: "twice" }) });
    expect(told({ GIVEN: "a" })).toEqual(["a", "a to node", null]);
  });

  it("adds to what is given, what comes from a prototype included, and changes none of it", () => {
    follow();
    const env = Object.freeze(Object.assign(Object.create({ INHERITED: "b" }), { GIVEN: "a" }));
    expect(told(env)).toEqual(["a", "a to node", "b"]);
    expect(Object.keys(env)).toEqual(["GIVEN"]);
  });

  it("replaces what is to be replaced", () => {
    follow({ inherit: (read) => ({ GIVEN: `${read("GIVEN")}+` }) });
    expect(told({ GIVEN: "a=b" })).toEqual(["a=b+", null, null]);
  });

  it("starts children as ever where what is to be inherited cannot be told", async () => {
    follow({
      inherit: () => {
        throw new Error("a fault of ours");
      },
    });
    expect(told({ GIVEN: "a" })).toEqual(["a", null, null]);
    const worker = new threads.Worker("process.exit(7)", { eval: true, env: {} });
    expect(await new Promise((resolve) => worker.on("exit", resolve))).toBe(7);
  });

  it("keeps the errors of what is wrong", () => {
    const wrong = [
      () => childProcess.spawnSync("x", [], { env: 5 as never }),
      () => childProcess.execFileSync("x", { env: { "A\0": "b" } }),
      () => new threads.Worker(5 as never),
      () => new threads.Worker("x.js"),
      () => new threads.Worker("./x.js", { env: 5 as never }),
      () => new threads.Worker("1", { eval: true, execArgv: ["--nonsense"] }),
      () => (threads.Worker as unknown as () => void)(),
    ];
    const failures = (): unknown[] =>
      wrong.map((attempt) => {
        try {
          return attempt();
        } catch (error) {
          return error instanceof Error ? [error.name, Reflect.get(error, "code"), error.message] : error;
        }
      });
    const without = failures();
    follow();
    expect(failures()).toEqual(without);
  });

  it("gives a thread that would find nothing in its environment the arguments, and no other", async () => {
    const seen = async (options: threads.WorkerOptions): Promise<unknown> => {
      const code = 'require("node:worker_threads").parentPort.postMessage(process.execArgv)';
      const worker = new threads.Worker(code, { eval: true, ...options });
      const message = await new Promise((resolve) => worker.once("message", resolve));
      await worker.terminate();
      return message;
    };
    follow({ atHome: () => false });
    const own = ["--trace-warnings"];
    expect(await seen({ execArgv: own })).toEqual(["--trace-warnings", "--no-warnings"]);
    expect(await seen({ execArgv: own, env: {} })).toEqual(own);
    expect(own).toEqual(["--trace-warnings"]);
    for (const { dispose } of installed.splice(0)) dispose();
    follow();
    expect(await seen({ execArgv: own })).toEqual(own);
  });
});
