import { EventEmitter, once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { install } from "../../src/hook/install.ts";
import { selfSigned } from "../support/certificate.ts";
import { type Loopback, loopback } from "../support/loopback.ts";
import { FakeGatekeeper, refuse } from "./fake-gatekeeper.ts";
import { follow, streamServer } from "./streams.ts";

const emitter = EventEmitter as unknown as { init: (this: object, options?: object) => void };
const PATH = "/v1/chat/completions";

let server: Loopback;
let gatekeeper: FakeGatekeeper;

beforeEach(async () => {
  server = await loopback();
  gatekeeper = new FakeGatekeeper();
  gatekeeper.ports.add(server.port);
  gatekeeper.decision = refuse;
});
afterEach(() => server[Symbol.asyncDispose]());

/** Stands guard, and has its seam replaced by somebody who knows nothing of it: before the first request of any client. */
function robbed(init = emitter.init): void {
  const before = emitter.init;
  const { dispose } = install(gatekeeper);
  emitter.init = init;
  onTestFinished(() => {
    dispose();
    emitter.init = before;
  });
}

describe("the seam of the hooks, taken away by somebody else, is taken back with the next connection to a provider", () => {
  it("of node:http, whose very request is judged", async () => {
    robbed();
    const request = http.request(server.url + PATH, { method: "POST", agent: false }).end("hello");
    const [response] = await once(request, "response");
    response.resume();
    expect([response.statusCode, server.hits.length, gatekeeper.sightings.length]).toEqual([402, 0, 0]);
  });

  it.each([false, true])("of node:http2, whose very request is judged; over TLS: %s", async (secure) => {
    const certificate = secure ? selfSigned() : undefined;
    if (certificate === null) return;
    await using h2 = await streamServer(certificate === undefined ? {} : { certificate });
    gatekeeper.ports.add(h2.port);
    robbed();
    const session = http2.connect(h2.url, { rejectUnauthorized: false });
    const { status } = await follow(session.request({ ":method": "POST", ":path": PATH }).end("hello"));
    expect([status, h2.hits.length, gatekeeper.sightings.length]).toEqual([402, 0, 0]);
    session.destroy();
  });

  it("and whoever took it goes on being asked", async () => {
    const before = emitter.init;
    let asked = 0;
    robbed(function init(this: object, options) {
      asked += 1;
      return before.call(this, options);
    });
    connect(server.port, "127.0.0.1").destroy();
    asked = 0;
    new EventEmitter();
    expect(asked).toBe(1);
  });
});

it("the seam is not taken a second time from one who passes on what he gets, as node:domain does", () => {
  const before = emitter.init;
  const { dispose } = install(gatekeeper);
  const guarded = emitter.init;
  const passing = function init(this: object, options?: object): void {
    guarded.call(this, options);
  };
  emitter.init = passing;
  onTestFinished(() => {
    dispose();
    emitter.init = before;
  });
  connect(server.port, "127.0.0.1").destroy();
  expect(emitter.init).toBe(passing);
});
