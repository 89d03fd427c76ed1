import { crc32 } from "node:zlib";

type Header = readonly [name: string, value: string];

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([Buffer.from([7]), length, bytes]);
};

/** A header of any type: its name, then its type and value as they stand on the wire. */
export const rawHeader = (name: string, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), value]);

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

/** One message of `application/vnd.amazon.eventstream`, with its checksums. */
export function message(headers: Buffer, payload: Buffer): Buffer {
  const prelude = Buffer.concat([u32(16 + headers.length + payload.length), u32(headers.length)]);
  const all = Buffer.concat([prelude, u32(crc32(prelude)), headers, payload]);
  return Buffer.concat([all, u32(crc32(all))]);
}

const framed = (headers: readonly Header[], payload: unknown): Buffer =>
  message(
    Buffer.concat(headers.map(([name, value]) => rawHeader(name, text(value)))),
    Buffer.from(JSON.stringify(payload)),
  );

/** An event of the Converse API. */
export const awsEvent = (type: string, payload: unknown): Buffer =>
  framed(
    [
      [":event-type", type],
      [":content-type", "application/json"],
      [":message-type", "event"],
    ],
    payload,
  );

/** An event of InvokeModelWithResponseStream, which holds one of the model's own. */
export const awsChunk = (event: unknown): Buffer =>
  awsEvent("chunk", { bytes: Buffer.from(JSON.stringify(event)).toString("base64"), p: "abcdef" });

/** An error in the midst of a stream. */
export const awsException = (type: string, text: string): Buffer =>
  framed(
    [
      [":exception-type", type],
      [":content-type", "application/json"],
      [":message-type", "exception"],
    ],
    { message: text },
  );
