import type { Answer } from "./exchange.ts";
import { quietly } from "./once.ts";
import { call, type Handler, isNewStyle } from "./undici-handler.ts";

/** Plays an answer to a handler as if a server had sent it: pause, resume and abort are honoured. */
export function playAnswer(handler: Handler, answer: Answer, method: string): void {
  const length = String(answer.body.length);
  const headers = { ...answer.headers, "content-length": length };
  const raw = Object.entries(headers).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)]);
  const body = method === "HEAD" ? null : answer.body;
  const play = new Play(handler, raw);
  const { controller } = play;
  if (isNewStyle(handler)) {
    play.run([
      () => call(handler, "onRequestStart", controller, null),
      () => call(handler, "onResponseStarted"),
      () => call(handler, "onResponseStart", controller, answer.status, headers, answer.reason),
      () => body && call(handler, "onResponseData", controller, body),
      () => play.finish(() => call(handler, "onResponseEnd", controller, {})),
    ]);
  } else {
    const resume = (): void => controller.resume();
    const pauseOn = (answered: unknown): void => {
      if (answered === false) controller.pause();
    };
    play.run([
      () => call(handler, "onConnect", (reason: unknown) => controller.abort(reason)),
      () => call(handler, "onResponseStarted"),
      () => pauseOn(call(handler, "onHeaders", answer.status, raw, resume, answer.reason)),
      () => body && pauseOn(call(handler, "onData", body)),
      () => play.finish(() => call(handler, "onComplete", [])),
    ]);
  }
}

/** Tells a handler that its request failed. What the handler throws at that is nobody's error. */
export function playError(handler: Handler, error: unknown): void {
  quietly(() => {
    if (isNewStyle(handler)) call(handler, "onResponseError", null, error);
    else call(handler, "onError", error);
  });
}

/**
 * Ends a request that its caller aborted while it was held. The handler is started first, since it aborts with its own
 * reason then, as it would on a real connection; a handler that does not is told the signal's.
 */
export function playAbort(handler: Handler, reason: unknown): void {
  const play = new Play(handler, []);
  const { controller } = play;
  play.run([
    () =>
      isNewStyle(handler)
        ? call(handler, "onRequestStart", controller, null)
        : call(handler, "onConnect", (why: unknown) => controller.abort(why)),
    () => controller.abort(reason),
  ]);
}

/**
 * Starts the handler of a request that is held for long, so that a caller who has no signal of its own (fetch aborts through
 * what it is handed here) can give up. It is started again when the request leaves, as by a retry of undici's own.
 */
export function introduce(handler: Handler, giveUp: (reason: unknown) => void): void {
  quietly(() => {
    if (!isNewStyle(handler)) {
      call(handler, "onConnect", giveUp);
      return;
    }
    const { controller } = new Play({}, []);
    const abort = (reason: unknown): void => {
      controller.abort(reason);
      giveUp(reason);
    };
    call(handler, "onRequestStart", Object.create(controller, { abort: { value: abort } }), null);
  });
}

/** The controller that undici 7 and later hand to handlers. */
interface Controller {
  readonly aborted: boolean;
  readonly reason: unknown;
  readonly paused: boolean;
  readonly rawHeaders: readonly Buffer[];
  readonly rawTrailers: readonly Buffer[];
  pause(): void;
  resume(): void;
  abort(reason: unknown): void;
}

/** Steps that run one after the other, unless the handler pauses or aborts. */
class Play {
  readonly controller: Controller;
  readonly #handler: Handler;
  #steps: (() => unknown)[] = [];
  #over = false;
  #paused = false;
  #running = false;

  constructor(handler: Handler, rawHeaders: readonly Buffer[]) {
    this.#handler = handler;
    const play = this;
    let reason: unknown = null;
    let aborted = false;
    this.controller = {
      rawHeaders,
      rawTrailers: [],
      get aborted() {
        return aborted;
      },
      get reason() {
        return reason;
      },
      get paused() {
        return play.#paused;
      },
      pause() {
        play.#paused = true;
      },
      resume() {
        if (!play.#paused) return;
        play.#paused = false;
        play.#pump();
      },
      abort(why) {
        if (play.#over) return;
        aborted = true;
        reason = why ?? abortError();
        play.#fail(reason);
      },
    };
  }

  run(steps: (() => unknown)[]): void {
    this.#steps = steps;
    this.#pump();
  }

  /** The last step: nothing can be aborted after it. */
  finish(last: () => unknown): void {
    this.#over = true;
    last();
  }

  #pump(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#paused && !this.#over) {
        const step = this.#steps.shift();
        if (step === undefined) break;
        step();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = false;
    }
  }

  #fail(error: unknown): void {
    this.#over = true;
    quietly(() => {
      if (isNewStyle(this.#handler)) call(this.#handler, "onResponseError", this.controller, error);
      else call(this.#handler, "onError", error);
    });
  }
}

/** As undici's own `RequestAbortedError`, which is out of reach here. */
function abortError(): Error {
  return Object.assign(new Error("Request aborted"), { name: "AbortError", code: "UND_ERR_ABORTED" });
}
