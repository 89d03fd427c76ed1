/**
 * What the checker may know of models: prices and providers, given by whoever compiles a policy.
 * @module
 */

export interface Models {
  /** Models with a known price. */
  readonly names: readonly string[];
  /** The provider of a model as calls name it, and its price (input + output, nano-dollars a million tokens each); null where none is known. */
  readonly find: (model: string) => { readonly provider: string; readonly price: number } | null;
}
