/**
 * Amounts of limits as a command takes and shows them: in the language's own notation.
 * @module
 */
import { compile } from "../policy/compile.ts";
import type { NamedLimit } from "../policy/plan.ts";
import { usageError } from "./exit.ts";
import { dollars, figure } from "./figures.ts";

type Unit = NamedLimit["unit"];

const units: Readonly<Record<Unit, { readonly path: string; readonly noun: string; readonly example: string }>> = {
  money: { path: "tenant.total", noun: "dollars", example: "$80" },
  tokens: { path: "tenant.tokens.total", noun: "tokens", example: "2M" },
  count: { path: "tenant.calls.total", noun: "a plain number", example: "500" },
};

/** The amount in nano-dollars or a count, infinite for `unlimited`; the policy's own checker reads it. */
export function readAmount({ name, unit }: Pick<NamedLimit, "name" | "unit">, text: string): number {
  const { path, noun, example } = units[unit];
  const policy = `limit given by tenant {} else ${text}\n${path} > given -> warn\n`;
  const plain = /^[$\w.]+(?: tokens)?$/.test(text);
  const found = plain ? compile([{ file: "", text: policy }]).plan?.limits[0]?.otherwise : undefined;
  if (found?.kind === "amount") return found.amount;
  if (found?.kind === "unlimited") return Number.POSITIVE_INFINITY;
  const shell = unit === "money" ? " The quotes matter: a shell takes $80 for a variable, and leaves 0 of it." : "";
  throw usageError(
    `${name} is measured in ${noun}, and "${text}" is no such amount. Write it like ${quoted(`${name}=${example}`)}, or ${name}=unlimited.${shell}`,
    "limit",
  );
}

const quoted = (word: string): string => (word.includes("$") ? `'${word}'` : word);

/** `$80.00`, `2,000,000 tokens`, `500`, `unlimited`. */
export function amountShown(amount: number, unit: Unit | null): string {
  if (amount === Number.POSITIVE_INFINITY) return "unlimited";
  if (unit === "money") return dollars(amount / 1e9);
  return `${figure(amount, "")}${unit === "tokens" ? " tokens" : ""}`;
}

/** The amount for programs: dollars or a count. */
export const amountData = (amount: number, unit: Unit | null): number | "unlimited" =>
  amount === Number.POSITIVE_INFINITY ? "unlimited" : unit === "money" ? amount / 1e9 : amount;
