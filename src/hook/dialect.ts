import type { Answer, Departure } from "./exchange.ts";

/** FAILED_PRECONDITION: what gRPC clients do not try again before something has changed (grpc.io, "Status codes"). */
const GRPC_STATUS = "9";

/**
 * A refusal in what the protocol of its caller reads: AWS's SDKs name an error by a header, and gRPC has a status of its
 * own, in the trailers of an HTTP answer that is always 200.
 */
export function inDialectOf({ headers }: Departure, answer: Answer): Answer {
  const type = headers["content-type"] ?? "";
  if (/^application\/grpc\b/.test(type)) return grpcAnswer(type, answer);
  // Every AWS SDK sends the first; the second is on every signed request (AWS general reference, Signature Version 4).
  if (headers["amz-sdk-request"] === undefined && headers["x-amz-date"] === undefined) return answer;
  // Of the errors that Bedrock declares, this is the one that is not tried again.
  return { ...answer, headers: { ...answer.headers, "x-amzn-errortype": "ServiceQuotaExceededException" } };
}

function grpcAnswer(type: string, answer: Answer): Answer {
  const { "content-length": _length, ...headers } = answer.headers;
  const message = percentEncoded(messageOf(answer));
  return {
    status: 200,
    reason: "OK",
    headers: { ...headers, "content-type": type, "grpc-status": GRPC_STATUS, "grpc-message": message },
    body: Buffer.alloc(0),
  };
}

/** Printable ASCII stays, all else and `%` is written as bytes (gRPC over HTTP/2, "Percent-Encoded"). */
function percentEncoded(text: string): string {
  const character = (byte: number): string =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return Array.from(Buffer.from(text), character).join("");
}

function messageOf({ body, reason }: Answer): string {
  try {
    const parsed: unknown = JSON.parse(String(body));
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) return String(parsed.message);
  } catch {
    // Whoever wrote the answer wrote no JSON.
  }
  return reason;
}
