// Stand-in for what the agents read: plain text of a size that makes a call about 12,000 tokens, always the same.

const words =
  "plan seat month price tier usage support region invoice annual credit limit feature export audit team".split(" ");

/** About 47,000 letters of "page" text for a host. */
export function pages(host) {
  let text = `${host}: `;
  for (let at = host.length; text.length < 47_000; at = (at * 31 + 7) % 9973) text += `${words[at % words.length]} `;
  return text;
}
