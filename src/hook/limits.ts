/** How long and how large a request body may be while it is collected for a decision. */
export interface Limits {
  /** A streamed body past this many bytes is decided on unseen. */
  readonly bodyBytes: number;
  /** A body still unfinished after this many ms is decided on unseen: it may be waiting for the response. */
  readonly bodyMs: number;
}

/** 8 MiB holds any chat request with inlined images; three seconds is far past any body that is made in memory. */
export const LIMITS: Limits = Object.freeze({ bodyBytes: 8 * 1024 * 1024, bodyMs: 3000 });
