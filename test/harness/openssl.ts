import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Curve } from "../../signer/tezos/crypto/curve.ts";

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

/**
 * Whether OpenSSL verifies an ECDSA signature of a digest.
 * @param publicKey path of a PEM or DER file
 * @param digest 32 bytes
 * @param signature r || s, 64 bytes
 */
export function opensslVerifies(publicKey: string, digest: Uint8Array, signature: Uint8Array): boolean {
  const directory = mkdtempSync(join(tmpdir(), "tezos-signer-verify-"));
  const file = join(directory, "signature");
  const integer = (bytes: Uint8Array) => {
    const hex = Buffer.from(bytes)
      .toString("hex")
      .replace(/^(00)+/, "");
    const content = Buffer.from(/^[89a-f]/.test(hex) ? `00${hex}` : hex, "hex");
    return Buffer.concat([Uint8Array.of(2, content.length), content]);
  };
  const content = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  writeFileSync(file, Buffer.concat([Uint8Array.of(0x30, content.length), content]));
  try {
    const said = openssl(["pkeyutl", "-verify", "-pubin", "-inkey", publicKey, "-sigfile", file], digest);
    return said.toString().includes("Signature Verified Successfully");
  } catch {
    return false;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
