import { EventEmitter } from "node:events";
import type { Gatekeeper } from "./exchange.ts";
import { HttpHook } from "./http.ts";
import { Http2Hook } from "./http2.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { quietly } from "./once.ts";
import { Patches } from "./patches.ts";
import { SafetyNet } from "./safety-net.ts";
import { SocketWatch } from "./safety-net-sockets.ts";
import { UndiciHook } from "./undici.ts";

const INSTALLED = Symbol.for("budget-guard.installed");

/**
 * Stands in front of every outbound request of this process. A second call, by whichever copy of the package, changes
 * nothing until the first one is disposed of.
 *
 * Nothing is loaded for it. undici's dispatchers, node:http's requests and node:http2's sessions are all event emitters, and every
 * emitter's constructor calls the replaceable `EventEmitter.init` (the seam that node:domain uses): the first of each kind that
 * is made, in the built-in modules or in a copy in somebody's bundle, shows the prototype to patch.
 */
export function install(gatekeeper: Gatekeeper, limits: Limits = LIMITS): { dispose(): void } {
  if (Reflect.get(globalThis, INSTALLED) !== undefined) return { dispose() {} };
  Object.defineProperty(globalThis, INSTALLED, { value: true, configurable: true });

  const patches = new Patches();
  const undici = new UndiciHook(gatekeeper, patches, limits);
  const http = new HttpHook(gatekeeper, patches, limits);
  const http2 = new Http2Hook(gatekeeper, patches, limits);
  const sockets = new SocketWatch(gatekeeper, patches);
  const net = new SafetyNet(gatekeeper, { http, http2 });
  patches.apply(EventEmitter, "init", (original) => {
    return function init(this: unknown, options: unknown): unknown {
      // `in` and not a read: a getter of a half-made object may throw.
      if (patches.live && typeof this === "object" && this !== null) {
        if ("dispatch" in this) quietly(() => undici.meet(this));
        else if ("onSocket" in this) quietly(() => http.meet(this));
        else if ("goaway" in this) quietly(() => http2.meet(this));
        else if (sockets.wanting && "setKeepAlive" in this) quietly(() => sockets.meet(this));
      }
      return original.call(this, options);
    };
  });
  undici.meetGlobals();
  net.cast();

  return {
    dispose() {
      if (!patches.live) return;
      patches.restore();
      net.draw();
      Reflect.deleteProperty(globalThis, INSTALLED);
    },
  };
}
