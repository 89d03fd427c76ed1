/** Query parameters that may be a credential: Gemini takes `?key=`, signed URLs carry signatures. */
const SECRET = /key|token|secret|sig|auth|pass|cred/i;

/** A query string (with its `?`) whose secret values are replaced; the same string where it has none. */
export function redactQuery(query: string): string {
  return query.replace(/([?&])([^=&]*)=([^&]*)/g, (pair, mark: string, name: string) =>
    SECRET.test(decoded(name)) ? `${mark}${name}=REDACTED` : pair,
  );
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
