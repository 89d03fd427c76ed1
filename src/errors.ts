/**
 * The three errors. Each carries a stable `code` and is recognised across two copies of the package.
 * @module
 */

const brand = (name: string): symbol => Symbol.for(`budget-guard.${name}`);

/** What a refusal says to a program: amounts in `unit` (USD, tokens, calls, ...), times in ISO 8601. */
export interface RefusalDetail {
  readonly rule: string;
  readonly scope: Readonly<Record<string, string>>;
  readonly metric: string;
  readonly spent: number | null;
  readonly held: number | null;
  readonly estimate: number | null;
  readonly limit: number | null;
  readonly unit: string;
  readonly resets_at: string | null;
}

/** Thrown to the caller where `BUDGET_GUARD_REFUSAL=throw`; never retried by a well-behaved client. */
export class BudgetExceededError extends Error {
  override readonly name = "BudgetExceededError";
  readonly code = "BUDGET_EXCEEDED";
  readonly status = 402;
  readonly detail: RefusalDetail;

  constructor(message: string, detail: RefusalDetail) {
    super(message);
    this.detail = detail;
    Object.defineProperty(this, brand("BudgetExceededError"), { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasBrand(value, "BudgetExceededError");
  }
}

/** The policy has errors; `diagnostics` is the rendered text of all of them. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly code = "BUDGET_POLICY";
  readonly diagnostics: string;

  constructor(message: string, diagnostics: string) {
    super(message);
    this.diagnostics = diagnostics;
    Object.defineProperty(this, brand("PolicyError"), { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasBrand(value, "PolicyError");
  }
}

/** A setting names something that does not exist or cannot be. The message says which, and what to do. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "BUDGET_CONFIG";

  constructor(message: string) {
    super(message);
    Object.defineProperty(this, brand("ConfigError"), { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasBrand(value, "ConfigError");
  }
}

function hasBrand(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && brand(name) in value;
}
