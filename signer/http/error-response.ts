import type { ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Context, Middleware } from "koa";
import type { Logger } from "pino";
import { type ErrorCode, SignerError } from "../errors.ts";
import { SparseLog } from "../observability/rate-limited-log.ts";
import { plainAddress } from "./address-allow-list.ts";
import { answerJson, JSON_TYPE } from "./send-json.ts";

/**
 * The only place that writes an error, in the form that octez decodes and shows to its user
 * (facts of its RPC client: other forms become "unexpected content").
 * @module
 */

function trace(error: SignerError): readonly object[] {
  return [{ kind: "temporary", id: "failure", msg: error.message }];
}

/**
 * Outermost middleware: turns whatever is thrown below it into an answer, and logs what was refused here.
 * What the pipeline refuses (`ctx.state.asked`) has its own line there.
 * @param refused told each error of a request that did not reach the pipeline
 */
export function errorResponses(log: Logger, refused: (code: ErrorCode) => void = () => undefined): Middleware {
  const refusals = new SparseLog(log.warn.bind(log));
  const faults = new SparseLog(log.error.bind(log));
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = thrown instanceof SignerError ? thrown : unexpected(thrown, faults);
      if (ctx.state.asked !== true) refused(error.code);
      if (error === thrown && ctx.state.asked !== true) refusals.write(refusal(ctx, error), "refused");
      answerJson(ctx, error.status, trace(error));
    }
  };
}

function refusal(ctx: Context, error: SignerError): object {
  return { code: error.code, client: plainAddress(ctx.req.socket.remoteAddress), reason: error.message };
}

/** Nothing of it reaches the client; of its fields only the text reaches the log: others may hold headers or tokens. */
function unexpected(thrown: unknown, faults: SparseLog): SignerError {
  const { message, stack } = thrown instanceof Error ? thrown : new Error(`thrown: ${typeof thrown}`);
  faults.write({ code: "internal-error", error: message, stack }, "unexpected error");
  return new SignerError("internal-error", "its log says why");
}

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

/** The whole answer as text, for a peer whose request could not be read as HTTP. */
export function rawError(error: SignerError): string {
  const text = JSON.stringify(trace(error));
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
    "",
    text,
  ].join("\r\n");
}
