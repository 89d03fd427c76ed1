import type { Output, Request } from "./http-request.ts";

/**
 * Changes a request that is written but waits for its socket: drops headers and, where `body` is given, replaces the
 * whole body and says its length; `target` gives the request line another target. Lines that stay keep their place.
 * Returns false where the waiting output is not of the known form; nothing is changed then.
 */
export function editOutput(
  request: Request,
  remove: ReadonlySet<string>,
  body: Buffer | null,
  target: string | null = null,
): boolean {
  const block = request._header;
  if (block === null) {
    for (const name of remove) request.removeHeader(name);
    if (target !== null) request.path = target;
    return true;
  }
  const edited = retargeted(editBlock(block, remove, body?.length ?? null), request.path, target);
  if (!request._headerSent) {
    request._header = edited;
    return body === null;
  }
  const [first, ...rest] = request.outputData;
  if (first === undefined || typeof first.data !== "string" || !first.data.startsWith(block)) return false;
  const after = first.data.slice(block.length);
  request._header = edited;
  request.outputData =
    body === null
      ? [{ ...first, data: edited + after }, ...rest]
      : [
          { data: edited, encoding: "latin1", callback: null },
          { data: body, encoding: null, callback: callAll(request.outputData) },
        ];
  request.outputSize = request.outputData.reduce((size, { data }) => size + data.length, 0);
  return true;
}

/** The block with another target in its first line, `POST /v1/chat HTTP/1.1`. */
function retargeted(block: string, from: string, to: string | null): string {
  const at = block.indexOf(` ${from} HTTP/`);
  if (to === null || at < 0 || at > block.indexOf("\r\n")) return block;
  return block.slice(0, at + 1) + to + block.slice(at + 1 + from.length);
}

function editBlock(block: string, remove: ReadonlySet<string>, length: number | null): string {
  const [start = "", ...lines] = block.slice(0, -4).split("\r\n");
  const kept: string[] = [start];
  let told = length === null;
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(":")).toLowerCase();
    if (remove.has(name)) continue;
    // A chunked body becomes one of known length: the one line takes the place of the other.
    if (length === null || (name !== "content-length" && name !== "transfer-encoding")) kept.push(line);
    else if (!told) {
      kept.push(`Content-Length: ${length}`);
      told = true;
    }
  }
  if (!told) kept.push(`Content-Length: ${length}`);
  return `${kept.join("\r\n")}\r\n\r\n`;
}

/** Every write's callback, and the end's, still hears when its bytes' stand-in is out. */
function callAll(outputs: readonly Output[]): Output["callback"] {
  const callbacks = outputs.flatMap(({ callback }) => (typeof callback === "function" ? [callback] : []));
  return (error) => {
    for (const callback of callbacks) callback(error);
  };
}
