import { EventEmitter } from "node:events";
import { quietly } from "./once.ts";
import type { Patches } from "./patches.ts";

/** Whom a new emitter is shown to, and how it is known that it was. */
export interface Onlooker {
  /** Told of every emitter that is made, before its own constructor has done anything: keep it tiny. */
  readonly look: (emitter: object) => void;
  /** Whether an emitter that has a `dispatch` was looked at. */
  readonly saw: (emitter: object) => boolean;
}

/**
 * `EventEmitter.init`, which every emitter's constructor calls and anyone may replace: node:domain does, and calls what it
 * found. Somebody who does not takes it from the guard without a word, which is noticed before the next connection to a
 * provider.
 */
export class Seam {
  readonly #patches: Patches;
  readonly #onlooker: Onlooker;

  constructor(patches: Patches, onlooker: Onlooker) {
    this.#patches = patches;
    this.#onlooker = onlooker;
  }

  /** Takes the seam. */
  take(): void {
    const patches = this.#patches;
    const { look } = this.#onlooker;
    patches.apply(EventEmitter, "init", (original) => {
      return function init(this: unknown, options: unknown): unknown {
        if (patches.live && typeof this === "object" && this !== null) look(this);
        return original.call(this, options);
      };
    });
  }

  /** True while every new emitter comes by here; asked with one that is made for it. */
  holds(): boolean {
    let made: object | null = null;
    quietly(() => {
      made = new (class Probe extends EventEmitter {
        dispatch(): void {}
      })();
    });
    return made === null || this.#onlooker.saw(made);
  }
}
