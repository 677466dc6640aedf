import { execFileSync } from "node:child_process";
import type { Curve } from "../../signer/tezos/public-key.ts";

/** OpenSSL's command line: the oracle for key files, which nobody here wrote. */
export function openssl(args: readonly string[], input: string | Uint8Array = ""): Buffer {
  return execFileSync("openssl", args, { input, stdio: ["pipe", "pipe", "pipe"] });
}

/** Runs a pipeline of openssl commands in a shell; `words` are its $0, $1 and so on. */
export function shell(pipeline: string, ...words: string[]): Buffer {
  return execFileSync("sh", ["-c", pipeline, ...words], { stdio: ["pipe", "pipe", "pipe"] });
}

/** OpenSSL's names of the curves. */
export const OPENSSL_CURVES = { "P-256": "prime256v1", "P-256K": "secp256k1" } as const satisfies Record<Curve, string>;
