import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, describe, expect, it } from "vitest";
import type { Passage } from "../../src/hook/exchange.ts";
import { install } from "../../src/hook/install.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { proxy } from "../support/proxy.ts";
import { type Ask, type Client, clients, type Session } from "./clients.ts";
import { ANSWER, FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";

const CHAT = '{"model":"gpt-5","max_tokens":1000}';
const JSON_HEADERS = { "content-type": "application/json", "x-budget-tenant": "acme", "x-kept": "yes" };

interface Scene extends AsyncDisposable {
  readonly server: Loopback;
  readonly gatekeeper: FakeGatekeeper;
  readonly session: Session;
  readonly ask: Ask;
}

let dispose = (): void => {};
afterEach(() => dispose());

async function scene(client: Client, respond?: Parameters<typeof loopback>[0]): Promise<Scene> {
  const server = await loopback(respond);
  const relay = await proxy();
  const gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  dispose = install(gatekeeper).dispose;
  const session = client.open(server.url, relay.url);
  return {
    server,
    gatekeeper,
    session,
    ask: { url: `${server.url}/v1/chat/completions?a=b`, method: "POST", headers: JSON_HEADERS, body: CHAT },
    async [Symbol.asyncDispose]() {
      await session.close();
      await server[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** A promise and its ends. */
function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const lower = (rawHeaders: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? ""]] : [])),
  );

describe.each(clients)("$name", (client) => {
  it("is decided on once, with where it goes, its headers and its whole body", async () => {
    await using it = await scene(client);
    await it.session.send(it.ask);
    expect(it.gatekeeper.departures).toHaveLength(1);
    const [departure] = it.gatekeeper.departures;
    expect(departure).toMatchObject({
      transport: client.transport,
      protocol: "http:",
      hostname: "127.0.0.1",
      port: it.server.port,
      method: "POST",
      path: "/v1/chat/completions?a=b",
      headers: JSON_HEADERS,
    });
    expect(String(departure?.body)).toBe(CHAT);
  });

  it("gets a refusal as an answer, and nothing reaches the server", async () => {
    await using it = await scene(client);
    it.gatekeeper.decision = refuse;
    const reply = await it.session.send(it.ask);
    expect(reply.status).toBe(402);
    expect(reply.headers).toMatchObject({ "x-should-retry": "false", "x-budget-guard": "deny" });
    expect(String(reply.body)).toBe(String(ANSWER.body));
    expect(it.gatekeeper.departures).toHaveLength(1);
    expect(it.server.hits).toHaveLength(0);
  });

  it("gets a refusal of a HEAD without a body", async () => {
    await using it = await scene(client);
    it.gatekeeper.decision = refuse;
    const reply = await it.session.send({ url: it.ask.url, method: "HEAD" });
    expect(reply).toMatchObject({ status: 402, body: Buffer.alloc(0) });
    expect(it.server.hits).toHaveLength(0);
  });

  it.each([
    ["refused", refuse],
    ["thrown at", (): Passage => ({ kind: "throw", error: new Error("refused") })],
  ])("leaves the event loop its turns however often it is %s", async (_name, decide) => {
    await using it = await scene(client);
    it.gatekeeper.decision = decide;
    let turned = 0;
    let counting = true;
    const count = (): void => {
      turned += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    for (let refused = 0; refused < 5; refused++) await it.session.send(it.ask).catch(() => {});
    counting = false;
    expect(turned).toBeGreaterThanOrEqual(4);
  });

  it("goes on after a refusal as if it had not been", async () => {
    await using it = await scene(client);
    it.gatekeeper.decision = refuse;
    await it.session.send(it.ask);
    it.gatekeeper.decision = () => it.gatekeeper.go();
    expect(await it.session.send(it.ask)).toMatchObject({ status: 200 });
    expect(await it.session.send(it.ask)).toMatchObject({ status: 200 });
    expect(it.server.hits).toHaveLength(2);
  });

  it("gets a thrown refusal as its error, or the cause of it", async () => {
    await using it = await scene(client);
    const error = Object.assign(new Error("refused by budget"), { code: "BUDGET_EXCEEDED" });
    it.gatekeeper.decision = () => ({ kind: "throw", error });
    const caught = await it.session.send(it.ask).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    const causes: unknown[] = [];
    for (let at = caught; at instanceof Error; at = at.cause) causes.push(at);
    expect(causes.some((cause) => cause === error || String(cause).includes("refused by budget"))).toBe(true);
    expect(it.server.hits).toHaveLength(0);
  });

  it("sends a reshaped body with its length, once", async () => {
    await using it = await scene(client);
    const body = Buffer.from('{"model":"gpt-5","max_tokens":7}');
    it.gatekeeper.decision = () => it.gatekeeper.go({ body });
    expect(await it.session.send(it.ask)).toMatchObject({ status: 200 });
    const [hit] = it.server.hits;
    expect(String(hit?.body)).toBe(String(body));
    const names = hit?.rawHeaders.filter((_name, at) => at % 2 === 0).map((name) => name.toLowerCase()) ?? [];
    expect(names.filter((name) => name === "content-length")).toHaveLength(1);
    expect(names).not.toContain("transfer-encoding");
    expect(lower(hit?.rawHeaders ?? [])["content-length"]).toBe(String(body.length));
  });

  it("sends a reshaped body in the place of one of unknown length", async () => {
    await using it = await scene(client);
    const body = Buffer.from('{"model":"gpt-5","max_tokens":7}');
    it.gatekeeper.decision = () => it.gatekeeper.go({ body });
    const pieces = [Buffer.from(CHAT.slice(0, 10)), Buffer.from(CHAT.slice(10))];
    await it.session.send({ url: it.ask.url, method: "POST", headers: JSON_HEADERS, pieces });
    expect(String(it.gatekeeper.departures[0]?.body)).toBe(CHAT);
    expect(String(it.server.hits[0]?.body)).toBe(String(body));
  });

  it("leaves the headers that must not leave, and no other", async () => {
    await using it = await scene(client);
    await it.session.send(it.ask);
    it.gatekeeper.decision = () => it.gatekeeper.go({ removeHeaders: ["x-budget-tenant", "x-budget-user"] });
    await it.session.send(it.ask);
    const [before, after] = it.server.hits.map(({ rawHeaders }) => rawHeaders);
    const at = before?.findIndex((name) => name.toLowerCase() === "x-budget-tenant") ?? -1;
    expect(at).toBeGreaterThanOrEqual(0);
    expect(after).toEqual(before?.toSpliced(at, 2));
  });

  it("tells the tap of the answer, byte for byte, after the caller", async () => {
    await using it = await scene(client);
    const reply = await it.session.send(it.ask);
    const [told] = await it.gatekeeper.ended();
    expect(told).toMatchObject({ status: 200, ends: 1, failures: [] });
    expect(told?.headers).toMatchObject({ "content-type": "application/json", "x-server": "loopback" });
    expect(told?.bytes.equals(reply.body)).toBe(true);
  });

  // RetryAgent of undici 6 and 7 itself takes the hints for an answer.
  it.runIf(!client.name.endsWith("RetryAgent"))(
    "tells the tap of one head, whatever hints came before it",
    async () => {
      await using it = await scene(client, (response) => {
        response.writeEarlyHints({ link: "</style.css>; rel=preload" });
        response.writeHead(201).end("answer");
      });
      await it.session.send(it.ask);
      expect(await it.gatekeeper.ended()).toMatchObject([{ status: 201, heads: 1, ends: 1 }]);
    },
  );

  it("tells the tap of a network error", async () => {
    await using it = await scene(client, (response) => response.destroy());
    await it.session.send(it.ask).catch(() => {});
    const [told] = await it.gatekeeper.ended();
    expect(told).toMatchObject({ status: null, ends: 0, failures: [{ kind: "network" }] });
  });

  it("tells the tap of an abort inside the answer, and of the bytes before it", async () => {
    await using it = await scene(client, (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
    });
    const caller = new AbortController();
    await it.session.send({ ...it.ask, signal: caller.signal, onChunk: () => caller.abort() }).catch(() => {});
    const [told] = await it.gatekeeper.ended();
    expect(told).toMatchObject({ status: 200, ends: 0, failures: [{ kind: "abort" }] });
    expect(String(told?.bytes)).toBe("data: one\n\n");
  });

  it("tells the tap of a time-out of the caller's", async () => {
    await using it = await scene(client, () => {});
    const caller = new AbortController();
    const sent = it.session.send({ ...it.ask, signal: caller.signal });
    await it.server.arrived(1);
    caller.abort(new DOMException("The operation timed out.", "TimeoutError"));
    await sent.catch(() => {});
    const [told] = await it.gatekeeper.ended();
    expect(told?.failures).toHaveLength(1);
    expect(told?.failures[0]?.kind).not.toBe("network");
  });

  it("is held until the decision has come", async () => {
    await using it = await scene(client);
    const decided = deferred<Passage>();
    const held = deferred<void>();
    it.gatekeeper.decision = () => {
      held.resolve();
      return decided.promise;
    };
    const sent = it.session.send(it.ask);
    await held.promise;
    await turns(20);
    expect(it.server.hits).toHaveLength(0);
    decided.resolve(it.gatekeeper.go());
    expect(await sent).toMatchObject({ status: 200 });
    expect(String(it.server.hits[0]?.body)).toBe(CHAT);
  });

  it("ends at once when the caller aborts while it is held", async () => {
    await using it = await scene(client);
    const decided = deferred<Passage>();
    const held = deferred<void>();
    it.gatekeeper.decision = () => {
      held.resolve();
      return decided.promise;
    };
    const caller = new AbortController();
    const sent = it.session.send({ ...it.ask, signal: caller.signal });
    await held.promise;
    caller.abort();
    // Had it waited for the decision, this would hang: nobody has decided.
    const error: unknown = await sent.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    decided.resolve(it.gatekeeper.go());
    await it.gatekeeper.ended();
    expect(it.server.hits).toHaveLength(0);
    expect(it.gatekeeper.told[0]?.failures).toMatchObject([{ kind: "abort" }]);
  });

  it("hears of an abort after a long wait, and answers after one as if there had been none", async () => {
    await using it = await scene(client);
    const began: AbortSignal[] = [];
    const decisions = [deferred<Passage>(), deferred<Passage>()];
    it.gatekeeper.decision = (_, signal) => {
      began.push(signal);
      return decisions[began.length - 1]?.promise ?? Promise.reject(new Error("asked too often"));
    };
    const caller = new AbortController();
    const given = it.session.send({ ...it.ask, signal: caller.signal }).catch((thrown: unknown) => thrown);
    await new Promise((resolve) => setTimeout(resolve, 150));
    caller.abort();
    expect(await given).toBeInstanceOf(Error);
    expect(began[0]?.aborted).toBe(true);
    decisions[0]?.resolve(it.gatekeeper.go());

    const sent = it.session.send(it.ask);
    await new Promise((resolve) => setTimeout(resolve, 150));
    decisions[1]?.resolve(it.gatekeeper.go());
    expect(await sent).toMatchObject({ status: 200 });
    expect(it.server.hits).toHaveLength(1);
  });

  it("is decided on in the caller's async context, and answers in it", async () => {
    await using it = await scene(client);
    const context = new AsyncLocalStorage<string>();
    let seen: string | undefined;
    it.gatekeeper.decision = () => {
      seen = context.getStore();
      return it.gatekeeper.go({ run: (fn) => context.run("the guard's", fn) });
    };
    const after = await context.run("the caller's", async () => {
      await it.session.send(it.ask);
      return context.getStore();
    });
    expect([seen, after]).toEqual(["the caller's", "the caller's"]);
  });

  it("goes as it came when the gatekeeper itself fails", async () => {
    await using it = await scene(client);
    it.gatekeeper.decision = () => {
      throw new Error("a fault of the guard");
    };
    expect(await it.session.send(it.ask)).toMatchObject({ status: 200 });
    expect(String(it.server.hits[0]?.body)).toBe(CHAT);
  });

  it("is not looked at when it goes to nobody's provider", async () => {
    await using it = await scene(client);
    it.gatekeeper.ports.clear();
    expect(await it.session.send(it.ask)).toMatchObject({ status: 200 });
    expect(it.gatekeeper.asked.length).toBeGreaterThan(0);
    expect(it.gatekeeper.departures).toHaveLength(0);
  });
});

/** Lets the event loop turn so often that a request which is not held would have left. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
