/** Reading that waits until the caller has what came. */
import { NO_RESPONSE, type ResponseReader } from "./reader.ts";

/**
 * A reader that is made, and reads, when the turn of the event loop that brought the bytes is over: a caller who waits
 * for them has seen them by then. What still waits is read when the response ends.
 */
export function readLater(make: () => ResponseReader): ResponseReader {
  let made: ResponseReader | null = null;
  let waiting: Buffer[] = [];
  const read = (): void => {
    made ??= madeOr(make);
    const came = waiting;
    waiting = [];
    for (const bytes of came) made.push(bytes);
  };
  return {
    push(bytes) {
      // A copy: the caller may use the memory again before it is read.
      if (waiting.push(Buffer.from(bytes)) === 1) setImmediate(read);
    },
    async finish() {
      read();
      return made === null ? NO_RESPONSE : made.finish();
    },
  };
}

/** Nobody stands around a later turn: what is thrown there would be the application's end. */
function madeOr(make: () => ResponseReader): ResponseReader {
  try {
    return make();
  } catch {
    return { push() {}, finish: async () => NO_RESPONSE };
  }
}
