/**
 * Store addresses without what must not be shown.
 * @module
 */

/** The store's URL without user and password, and without a query, which may hold them too. */
export const address = (url: string): string => url.replace(/\/\/.*@/s, "//").replace(/\?.*$/s, "");

/** The text without the URL's user, password and query: errors of clients may quote the address that they were given. */
export function withoutSecrets(text: string, url: string): string {
  const userinfo = /\/\/(.*)@/s.exec(url)?.[1] ?? "";
  const query = /\?(.*)$/s.exec(url)?.[1] ?? "";
  const password = userinfo.slice(userinfo.indexOf(":") + 1);
  const secrets = [userinfo, password, query].flatMap((part) => [part, decoded(part)]);
  return secrets.filter((secret) => secret !== "").reduce((clean, secret) => clean.replaceAll(secret, "***"), text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
