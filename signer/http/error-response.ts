import type { ServerResponse } from "node:http";
import type { Middleware } from "koa";
import { SignerError } from "../errors.ts";
import { http } from "../network/node-http.ts";
import { JSON_TYPE, sendJson } from "./send-json.ts";

/**
 * The only place that writes an error, in the form that octez decodes and shows to its user; its RPC client takes any other
 * form for "unexpected content".
 * @module
 */

function trace(error: SignerError): readonly object[] {
  return [{ kind: "temporary", id: "failure", msg: error.message }];
}

/**
 * Makes the outermost middleware: it turns whatever is thrown below it into an answer. Only a SignerError's text
 * reaches the client.
 */
export const answerErrors: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (thrown) {
    const error = thrown instanceof SignerError ? thrown : new SignerError("internal-error", "its log says why");
    sendJson(ctx, error.status, trace(error));
  }
};

/** Answers a request that never reaches the app, and ends its connection. */
export function writeError(response: ServerResponse, error: SignerError): void {
  const text = JSON.stringify(trace(error));
  response.writeHead(error.status, {
    "Content-Type": JSON_TYPE,
    "Content-Length": Buffer.byteLength(text),
    Connection: "close",
  });
  response.end(text);
}

/** Writes the whole answer as text, for a peer whose request could not be read as HTTP. */
export function rawError(error: SignerError): string {
  const text = JSON.stringify(trace(error));
  return [
    `HTTP/1.1 ${error.status} ${http.STATUS_CODES[error.status]}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
    "",
    text,
  ].join("\r\n");
}
