import type { IncomingMessage } from "node:http";
import { SignerError } from "../errors.ts";
import { MAX_PAYLOAD } from "../tezos/payload/payload.ts";
import { MAX_BODY } from "./limits.ts";

/**
 * Reads the payload of POST /keys/…: a JSON string of hex digits, as octez-client and Taquito send it. The content
 * type does not matter.
 * @returns the bytes to be signed, 1 to MAX_PAYLOAD
 * @throws SignerError `malformed-request` or `body-too-large`
 */
export async function readPayload(request: IncomingMessage): Promise<Uint8Array> {
  return parsePayload(await readText(request));
}

/** Once the body is too long it is no longer kept, but read on: the connection stays usable for the answer. */
function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY) chunks.push(chunk);
      else reject(new SignerError("body-too-large", `a body has at most ${MAX_BODY} bytes`));
    });
    request.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.once("error", (cause) => {
      // The server ends a connection with the reason why it refused what came on it: a body that was too slow, or no HTTP.
      const { errored } = request.socket;
      if (errored instanceof SignerError) reject(errored);
      else reject(new SignerError("malformed-request", "the connection ended before the body did", { cause }));
    });
  });
}

/**
 * Reads the payload in a request's body.
 * @param text the whole body
 * @throws SignerError that says what is wrong with it, and never repeats it
 */
export function parsePayload(text: string): Uint8Array {
  const hex = parseJson(text);
  if (typeof hex !== "string") throw malformed("the body must be a JSON string of hex digits");
  if (hex.startsWith("0x")) throw malformed("the hex digits must not begin with 0x");
  const wrong = hex.search(/[^0-9a-fA-F]/);
  if (wrong !== -1) throw malformed(`character ${wrong} of the JSON string is not a hex digit`);
  if (hex.length % 2 !== 0) throw malformed(`the JSON string has an odd number of hex digits, ${hex.length}`);
  if (hex.length === 0) throw malformed("the JSON string is empty");
  if (hex.length > 2 * MAX_PAYLOAD) {
    throw new SignerError("body-too-large", `a payload has at most ${MAX_PAYLOAD} bytes, this one ${hex.length / 2}`);
  }
  return Buffer.from(hex, "hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("the body is not JSON");
  }
}

function malformed(detail: string): SignerError {
  return new SignerError("malformed-request", detail);
}
