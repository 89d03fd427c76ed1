/**
 * The parts of a request path, without query: `/v1/chat/completions?x=1` is v1, chat, completions.
 */
export function segments(path: string): readonly string[] {
  const query = path.indexOf("?");
  return (query < 0 ? path : path.slice(0, query)).split("/").filter((part) => part !== "");
}
