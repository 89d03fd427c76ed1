/**
 * The policy in force: read at start, and again when its files change, in a process that goes on running.
 *
 *     files look different ──▶ wait until they look the same twice ──▶ read
 *       ├── a sound policy ──▶ in force with the next call
 *       └── a broken one, or fewer files than before ──▶ still so at the next look? then it is said, or heeded
 *
 * In: how to read the policy. Out: the plan for the next call. A broken policy never takes the place of a sound one.
 * @module
 */
import type { Clock } from "./clock.ts";
import { indexRules, type RuleIndex } from "./policy/match.ts";
import type { Plan } from "./policy/plan.ts";
import type { Log } from "./telemetry/log.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import { looksOf } from "./watching.ts";

/** A plan, ready to judge by. */
export interface Policy {
  readonly plan: Plan;
  readonly rulesFor: RuleIndex;
}

export interface LivePolicy {
  /** The policy in force. */
  current(): Policy;
  /** Begins to watch; null where the files were looked at within the last second, else resolves when they have been. */
  fresh(): Promise<void> | null;
}

/** What stands in the policy's files. */
export interface PolicyRead {
  /** Null where it is broken. */
  readonly plan: Plan | null;
  /** Of a broken policy: a sentence and every diagnostic. Of a sound one: its warnings, empty where there are none. */
  readonly told: string;
  readonly errors: number;
  /** The same for the same contents. */
  readonly content: string;
  /** True where a file holds nothing: an editor may be about to write it. */
  readonly hollow: boolean;
  /** Absolute paths of all that was read or looked for; a folder stands for the policies in it. */
  readonly paths: readonly string[];
}

export interface ReloadingOptions {
  readonly first: PolicyRead & { readonly plan: Plan };
  /** Reads the policy now. Never throws. */
  readonly read: () => PolicyRead;
  readonly log: Log;
  readonly telemetry: Pick<Telemetry, "policy">;
  readonly clock: Clock;
}

/** How often the files are looked at, ms. */
const POLL = 300;
/** Files that are being written must look the same for so long, ms, before they are read. */
const SETTLE = 80;
/** What is doubtful must still be so after this long, ms: two looks may follow each other closely. */
const DOUBT = 250;
/** A call that comes later than this after the last look waits for a new one, ms: the process slept or was busy. */
const STALE = 1_000;
/** But no longer than this, ms, whatever the file system does. */
const PATIENCE = 500;

/** A policy that never changes. */
export function fixedPolicy(plan: Plan): LivePolicy {
  const policy = policyOf(plan);
  return { current: () => policy, fresh: () => null };
}

/** A policy that follows its files from the first `fresh` on. */
export function livePolicy(options: ReloadingOptions): LivePolicy {
  return new Reloading(options);
}

const policyOf = (plan: Plan): Policy => Object.freeze({ plan, rulesFor: indexRules(plan) });

class Reloading implements LivePolicy {
  readonly #options: ReloadingOptions;
  #policy: Policy;
  #content: string;
  #paths: readonly string[];
  /** How the files looked when they were last understood; null: they must be read. */
  #looks: string | null = null;
  /** What was read at the last look and must be confirmed by the next one. */
  #doubted: { readonly content: string; readonly since: number } | null = null;
  /** The broken content that was reported last. */
  #reported: string | null = null;
  #lookedAt = performance.now();
  #looking: Promise<void> | null = null;
  #watched = false;

  constructor(options: ReloadingOptions) {
    this.#options = options;
    this.#policy = policyOf(options.first.plan);
    this.#content = options.first.content;
    this.#paths = options.first.paths;
  }

  current(): Policy {
    return this.#policy;
  }

  fresh(): Promise<void> | null {
    if (!this.#watched) {
      this.#watched = true;
      this.#later();
    }
    if (performance.now() - this.#lookedAt < STALE) return null;
    return atMost(PATIENCE, this.#look());
  }

  /** The timer never keeps a process alive that is otherwise done. */
  #later(): void {
    setTimeout(() => {
      void this.#look().then(() => this.#later());
    }, POLL).unref();
  }

  /** Looks once, however many ask. Never rejects. */
  #look(): Promise<void> {
    this.#looking ??= this.#compare()
      .catch((error: unknown) => this.#options.log.error(`the policy cannot be watched: ${String(error)}`))
      .then(() => {
        this.#lookedAt = performance.now();
        this.#looking = null;
      });
    return this.#looking;
  }

  async #compare(): Promise<void> {
    const { clock } = this.#options;
    let looks = await looksOf(this.#paths, clock);
    if (looks === this.#looks) return;
    // The first look: nothing is known yet of how the files looked when they were read.
    if (this.#looks === null && this.#options.read().content === this.#content) {
      this.#looks = looks;
      return;
    }
    for (let before = ""; looks !== before; ) {
      before = looks;
      await new Promise((resolve) => setTimeout(resolve, SETTLE).unref());
      looks = await looksOf(this.#paths, clock);
    }
    const read = this.#options.read();
    this.#paths = read.paths;
    // What was read now may be newer than the looks: then the next look finds another difference, and reads again.
    if (this.#take(read)) this.#looks = looks;
  }

  /** True where it is settled what to make of it; false where the next look must confirm it. */
  #take(read: PolicyRead): boolean {
    const { plan, content } = read;
    if (content === this.#content) {
      this.#doubted = null;
      if (this.#reported !== null) this.#options.log.warn("the policy is again the one in force");
      this.#reported = null;
      return true;
    }
    const doubtful = plan === null || read.hollow || lacksFiles(this.#policy.plan, plan);
    if (doubtful) {
      const known = this.#doubted?.content === content ? this.#doubted : null;
      this.#doubted = known ?? { content, since: performance.now() };
      if (performance.now() - this.#doubted.since < DOUBT) return false;
    }
    this.#doubted = null;
    if (plan === null) this.#keep(read);
    else this.#reload(read, plan);
    return true;
  }

  #reload({ content, told }: PolicyRead, plan: Plan): void {
    const { log, telemetry } = this.#options;
    this.#policy = policyOf(plan);
    this.#content = content;
    const rules = `${plan.rules.length} ${plan.rules.length === 1 ? "rule" : "rules"}`;
    const message = `the policy has changed: ${rules} from ${plan.files.join(", ")} are in force (${plan.hash})`;
    // Who was told that the policy is broken wants to hear that it no longer is.
    if (this.#reported === null) log.info(message);
    else log.warn(message);
    this.#reported = null;
    if (told !== "") log.warn(told);
    telemetry.policy({
      kind: "reloaded",
      files: plan.files,
      hash: plan.hash,
      rules: plan.rules.length,
      diagnostics: 0,
    });
  }

  #keep({ content, told, errors }: PolicyRead): void {
    if (this.#reported === content) return;
    this.#reported = content;
    const { log, telemetry } = this.#options;
    const { files, hash, rules } = this.#policy.plan;
    log.error(`the changed policy is not used, and the last good one (${hash}) stays in force: ${told}`);
    telemetry.policy({ kind: "kept", files, hash, rules: rules.length, diagnostics: errors });
  }
}

const lacksFiles = (before: Plan, after: Plan): boolean => before.files.some((file) => !after.files.includes(file));

/** Resolves with the work, or after `ms`. The timer keeps the process alive: a call waits for it. */
function atMost(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
