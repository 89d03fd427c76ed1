import type { Gatekeeper } from "./exchange.ts";
import { HttpHook } from "./http.ts";
import { Http2Hook } from "./http2.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { quietly } from "./once.ts";
import { Patches } from "./patches.ts";
import { SafetyNet } from "./safety-net.ts";
import { SocketWatch } from "./safety-net-sockets.ts";
import { Seam } from "./seam.ts";
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
  const net = new SafetyNet(gatekeeper, { http, http2 });
  const sockets = new SocketWatch(gatekeeper, patches, () => {
    if (seam.holds()) return;
    seam.take();
    // What is being connected is a request that exists already: only its class can be met.
    const own = process.getBuiltinModule?.("node:http");
    if (own !== undefined) http.meet(own.ClientRequest.prototype);
  });
  const seam = new Seam(patches, {
    look(emitter) {
      // `in` and not a read: a getter of a half-made object may throw.
      if ("dispatch" in emitter) quietly(() => undici.meet(emitter));
      else if ("onSocket" in emitter) quietly(() => http.meet(emitter));
      else if ("goaway" in emitter) quietly(() => http2.meet(emitter));
      else if (sockets.wanting && "setKeepAlive" in emitter) quietly(() => sockets.meet(emitter));
    },
    saw: (emitter) => undici.hasMet(emitter),
  });
  seam.take();
  // Loaded already: whoever follows the children has need of it.
  const plain = process.getBuiltinModule?.("node:net");
  if (plain !== undefined) sockets.meet(plain.Socket.prototype);
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
