import { spawnSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { ClientRequest } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { install } from "../../src/hook/install.ts";
import { Patches, shared } from "../../src/hook/patches.ts";
import { loopback } from "../support/loopback.ts";
import { undicis } from "./clients.ts";
import { FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";

const installed: { dispose(): void }[] = [];
afterEach(() => {
  for (const { dispose } of installed.splice(0)) dispose();
});

function guard(gatekeeper: FakeGatekeeper): { dispose(): void } {
  const made = install(gatekeeper);
  installed.push(made);
  return made;
}

/** All that the hook may have changed, as it is now. */
function snapshot(): unknown {
  const owners: object[] = [EventEmitter, ClientRequest.prototype];
  for (const [, { Agent }] of undicis) {
    for (let at = Agent.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) owners.push(at);
  }
  return owners.map((owner) => Object.getOwnPropertyDescriptors(owner));
}

describe("install", () => {
  it("and dispose leave everything as it was, property for property", async () => {
    await using server = await loopback();
    const before = snapshot();
    const gatekeeper = new FakeGatekeeper();
    gatekeeper.ports.add(server.port);
    const { dispose } = guard(gatekeeper);
    for (const [, { Agent }] of undicis) {
      const agent = new Agent();
      await agent.request({ origin: server.url, path: "/", method: "GET" });
      await agent.destroy();
    }
    await new Promise((resolve) => new ClientRequest(server.url).on("response", resolve).end());
    expect(gatekeeper.departures).toHaveLength(undicis.size + 1);
    expect(snapshot()).not.toEqual(before);
    dispose();
    expect(snapshot()).toEqual(before);
  });

  it("a second time changes nothing until the first is disposed of", async () => {
    await using server = await loopback();
    const [first, second] = [new FakeGatekeeper(), new FakeGatekeeper()];
    for (const gatekeeper of [first, second]) gatekeeper.ports.add(server.port);
    const { dispose } = guard(first);
    guard(second).dispose();
    guard(second);
    await fetch(server.url);
    expect([first.departures.length, second.departures.length]).toEqual([1, 0]);
    dispose();
    await fetch(server.url);
    guard(second);
    await fetch(server.url);
    expect([first.departures.length, second.departures.length]).toEqual([1, 1]);
  });

  it("lets what someone wrapped after it stand, and stands aside inside it", async () => {
    await using server = await loopback();
    const gatekeeper = new FakeGatekeeper();
    gatekeeper.ports.add(server.port);
    const { dispose } = guard(gatekeeper);
    await fetch(server.url);
    const emitter = EventEmitter as unknown as { init: (options?: object) => void };
    const inner = emitter.init;
    let calls = 0;
    emitter.init = function init(this: object, options?: object) {
      calls += 1;
      inner.call(this, options);
    };
    try {
      dispose();
      new EventEmitter();
      expect(calls).toBe(1);
      await fetch(server.url);
      expect(gatekeeper.departures).toHaveLength(1);
    } finally {
      emitter.init = inner;
    }
  });

  it("survives emitters with a `dispatch` that cannot be read yet", () => {
    guard(new FakeGatekeeper());
    class Odd extends EventEmitter {
      readonly #ready = true;
      get dispatch(): boolean {
        return this.#ready;
      }
      get onSocket(): boolean {
        return this.#ready;
      }
    }
    expect(new Odd().dispatch).toBe(true);
  });

  it("leaves a store's or an event bus's own `dispatch` alone", () => {
    guard(new FakeGatekeeper());
    class Bus extends EventEmitter {
      closed = false;
      dispatch(event: string): string {
        return event;
      }
    }
    const { dispatch } = Bus.prototype;
    new Bus();
    expect(Bus.prototype.dispatch).toBe(dispatch);
  });

  it("finds a copy of undici whose names a bundler has mangled", async () => {
    await using server = await loopback();
    const gatekeeper = new FakeGatekeeper();
    gatekeeper.ports.add(server.port);
    gatekeeper.decision = refuse;
    // As a minifier leaves `class Dispatcher`, `class DispatcherBase` and `class Agent`: only the methods keep their names.
    class a extends EventEmitter {
      dispatch(): boolean {
        throw new Error("not implemented");
      }
    }
    let left = 0;
    class b extends a {
      get destroyed(): boolean {
        return false;
      }
      get closed(): boolean {
        return false;
      }
      override dispatch(): boolean {
        left += 1;
        return true;
      }
    }
    class c extends b {}
    guard(gatekeeper);
    const told = new Promise((resolve) => {
      const handler = { onConnect() {}, onHeaders: resolve, onData() {}, onComplete() {}, onError() {} };
      const agent: { dispatch(options: object, handler: object): boolean } = new c();
      agent.dispatch({ origin: server.url, path: "/v1/chat", method: "POST", body: "x" }, handler);
    });
    expect(await told).toBe(402);
    expect(left).toBe(0);
  });
});

describe("a preload", () => {
  const run = (code: string): string => spawnSync(process.execPath, ["-e", code], { encoding: "utf8" }).stdout.trim();

  it("has the seams that it stands on, in this Node", () => {
    const seams = run(`
      const { EventEmitter } = require("node:events");
      const seen = [];
      const init = EventEmitter.init;
      EventEmitter.init = function (options) {
        if ("dispatch" in this) seen.push("dispatch");
        if ("onSocket" in this) seen.push("onSocket");
        return init.call(this, options);
      };
      require("node:http").request("http://127.0.0.1:1").on("error", () => {}).end();
      fetch("http://127.0.0.1:1").catch(() => console.log([...new Set(seen)].sort().join()));
    `);
    expect(seams).toBe("dispatch,onSocket");
  });
});

describe("a patch", () => {
  it("keeps the name, the length and the traits of the method it replaces", () => {
    const owner = { method: (one: number, two: number): number => one + two };
    Object.defineProperty(owner, "method", { enumerable: false });
    const before = Object.getOwnPropertyDescriptor(owner, "method");
    const patches = new Patches();
    patches.apply(
      owner,
      "method",
      (original) =>
        (...args) =>
          Number(original(...args)) * 2,
    );
    expect(owner.method(1, 2)).toBe(6);
    expect([owner.method.name, owner.method.length]).toEqual(["method", 2]);
    expect(Object.getOwnPropertyDescriptor(owner, "method")).toMatchObject({ enumerable: false, writable: true });
    patches.restore();
    expect(Object.getOwnPropertyDescriptor(owner, "method")).toEqual(before);
  });

  it("on an inherited method is gone from the heir afterwards", () => {
    class Base {
      method(): string {
        return "base";
      }
    }
    class Heir extends Base {}
    const patches = new Patches();
    expect(patches.apply(Heir.prototype, "method", (original) => () => `heir of ${original()}`)).toBe(true);
    expect(new Heir().method()).toBe("heir of base");
    patches.restore();
    expect(Object.hasOwn(Heir.prototype, "method")).toBe(false);
  });

  it("is not made where there is no method, or one that cannot be replaced", () => {
    const patches = new Patches();
    const frozen = Object.freeze({ method: () => "frozen" });
    expect(patches.apply({}, "method", (original) => original)).toBe(false);
    expect(patches.apply(frozen, "method", () => () => "ours")).toBe(false);
    expect(frozen.method()).toBe("frozen");
  });

  it("twice on one method is taken off in turn", () => {
    const owner = { method: (): string => "own" };
    const { method } = owner;
    const patches = new Patches();
    patches.apply(owner, "method", (original) => () => `1 ${original()}`);
    patches.apply(owner, "method", (original) => () => `2 ${original()}`);
    expect(owner.method()).toBe("2 1 own");
    patches.restore();
    expect(owner.method).toBe(method);
  });
});

describe("a shared value", () => {
  it("is the same for every copy that asks for it by name", () => {
    const first = shared("test", () => ({ made: 1 }));
    expect(shared("test", () => ({ made: 2 }))).toBe(first);
    Reflect.deleteProperty(globalThis, Symbol.for("budget-guard.test"));
  });
});
