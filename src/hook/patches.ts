/**
 * Methods replaced and put back: every patch keeps the exact property it found.
 * In: an object, a method name, a wrapper. Out: the wrapped method in its place, until `restore`.
 * @module
 */

/** Any method, seen from outside. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Patch {
  readonly owner: object;
  readonly key: string;
  readonly value: Method;
  /** What the owner itself had; undefined where the method was inherited. */
  readonly found: PropertyDescriptor | undefined;
}

/** A value that all copies of the package in this process share. */
export function shared<T>(name: string, make: () => T): T {
  const key = Symbol.for(`budget-guard.${name}`);
  const holder: { [key: symbol]: T | undefined } = globalThis as never;
  const found = holder[key];
  if (found !== undefined) return found;
  const made = make();
  Object.defineProperty(globalThis, key, { value: made, configurable: true, writable: true });
  return made;
}

/** The patches of one installation. */
export class Patches {
  #applied: Patch[] = [];
  #live = true;

  /** False once restored: a wrapper that someone else wrapped in turn stays in place, and must stand aside. */
  get live(): boolean {
    return this.#live;
  }

  /** Puts `wrap(original)` in the place of a method; false where there is none or it cannot be replaced. */
  apply(owner: object, key: string, wrap: (original: Method) => Method): boolean {
    const found = Object.getOwnPropertyDescriptor(owner, key);
    const model = found ?? inherited(owner, key);
    const original: unknown = model?.value;
    if (model === undefined || !isMethod(original)) return false;
    if (found?.configurable === false && found.writable === false) return false;
    const value = wrap(original);
    for (const trait of ["name", "length"] as const) {
      Object.defineProperty(value, trait, { value: original[trait], configurable: true });
    }
    Object.defineProperty(owner, key, { ...model, value, ...(found === undefined && { configurable: true }) });
    this.#applied.push({ owner, key, value, found });
    return true;
  }

  /** Puts everything back, last patch first. A method that was wrapped again since is left alone. */
  restore(): void {
    this.#live = false;
    for (const { owner, key, value, found } of this.#applied.reverse()) {
      if (Object.getOwnPropertyDescriptor(owner, key)?.value !== value) continue;
      if (found === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, found);
    }
    this.#applied = [];
  }
}

const isMethod = (value: unknown): value is Method => typeof value === "function";

function inherited(owner: object, key: string): PropertyDescriptor | undefined {
  for (let at: unknown = Object.getPrototypeOf(owner); isObject(at); at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
