import { createHash, timingSafeEqual } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { Middleware } from "koa";
import type { Logger } from "pino";
import { messageOf, reasonOf, SignerError } from "../errors.ts";

/** Others may not read it, and none but its owner may write it; a group may read it, as it may systemd's credentials. */
const TOO_OPEN = 0o027;
/** Of random letters and digits, 119 bits: nobody tries them all. */
const LEAST = 20;
const MAX_BYTES = 1_024;
/** What a header may carry in one word (RFC 6750 2.1), so that a token needs no encoding. */
const TOKEN = /^[0-9A-Za-z._~+/=-]+$/;

/**
 * Scrapers say Bearer; browsers ask a person for a name, which is nothing, and a password, which is the token (RFC 7617). A
 * header for each: Chromium reads one header as one challenge, whatever RFC 9110 11.6.1 says.
 */
const CHALLENGES = ['Bearer realm="tezos-signer"', 'Basic realm="tezos-signer", charset="UTF-8"'];

/**
 * Makes the middleware that lets in whoever has the token of a file. The file is read for each request, so another token is
 * in force at once; while it cannot be used, nobody is let in, and the log says once why.
 * @param file of `metrics.token.file`
 * @throws SignerError `token-required`
 */
export function requireToken(file: string, log: Logger): Middleware {
  let told: string | undefined;
  return async (ctx, next) => {
    const given = tokenIn(ctx.get("authorization"));
    let wanted: string;
    try {
      wanted = await readToken(file);
      told = undefined;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== told) log.error(`${reason} The metrics port answers nobody.`);
      told = reason;
      throw new SignerError("token-required", "the signer cannot use its token's file; its log says why");
    }
    if (given === undefined || !isEqual(given, wanted)) {
      ctx.set("WWW-Authenticate", CHALLENGES);
      throw new SignerError("token-required", "send it as Authorization: Bearer TOKEN, or as the password of any name");
    }
    await next();
  };
}

/**
 * Reads the token that a file holds now: one line; a line feed at its end does not count. The path is not told, since it is
 * where a token is put by mistake.
 * @throws Error in a sentence, where it cannot be read, where others may, or where it holds none
 */
export async function readToken(file: string): Promise<string> {
  await using handle = await open(file, "r").catch((error: Error) => {
    throw new Error(`The file of metrics.token.file cannot be read: ${reasonOf(error)}.`, { cause: error });
  });
  return await readOpen(handle);
}

async function readOpen(handle: FileHandle): Promise<string> {
  const { mode, size } = await handle.stat();
  const refuse = (reason: string) => new Error(`The file of metrics.token.file ${reason}.`);
  if ((mode & TOO_OPEN) !== 0) {
    const permissions = (mode & 0o777).toString(8);
    throw refuse(
      `may be read by everybody, or written by others than its owner (mode ${permissions}): chmod 600, or 640 for a group that may read it`,
    );
  }
  if (size > MAX_BYTES) throw refuse("is too large to hold a token");
  const text = await handle.readFile("utf8").catch((error: Error) => {
    throw refuse(`cannot be read: ${reasonOf(error)}`);
  });
  const token = text.replace(/\r?\n$/, "");
  if (token.length < LEAST || !TOKEN.test(token)) {
    throw refuse(`must hold the token alone, on one line: ${LEAST} letters and digits or more`);
  }
  return token;
}

/** The token of an Authorization header; undefined where it has none. */
function tokenIn(authorization: string): string | undefined {
  const [, scheme = "", value = ""] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme === "") return undefined;
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : undefined;
}

/** Compares in a time that tells nothing of either. */
function isEqual(one: string, other: string): boolean {
  const hashed = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hashed(one), hashed(other));
}
