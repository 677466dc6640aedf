/**
 * The SSH key that Azure puts onto the machine. Pure.
 * @module
 */
import { createHash } from "node:crypto";

/** The SSH key of examples/stack.yaml. Its 32 bytes are the SHA-256 of a sentence, so nobody can hold a private half. */
export const EXAMPLE_SSH_KEY = exampleSshKey("tezos-signer: an example that nobody can log in with");

/**
 * Reads a public key of one line. Azure takes RSA of 2048 bits or more and Ed25519 (Azure Linux VM documentation,
 * "Supported SSH key formats").
 * @throws Error whose message says what is wrong
 */
export function readSshPublicKey(text: string): string {
  if (/PRIVATE KEY/.test(text)) {
    throw new Error(
      "is a private key, and the stack's file holds it now: overwrite it with the file that ends in .pub",
    );
  }
  if (/^[~./].*\.pub$/.test(text)) throw new Error(`is a file's name; give what is in it: "$(cat ${text})"`);
  const [type = "", blob = "", ...comment] = text.split(/\s+/);
  if (type !== "ssh-ed25519" && type !== "ssh-rsa") throw new Error("is not an Ed25519 or RSA public key of one line");
  const bytes = Buffer.from(blob, "base64");
  const prefix = Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type)]);
  if (bytes.toString("base64") !== blob || !bytes.subarray(0, prefix.length).equals(prefix)) {
    throw new Error(`its base64 part is damaged: it does not say ${type}`);
  }
  if (type === "ssh-ed25519" && bytes.length !== 51) throw new Error("is cut short: an Ed25519 key has 68 characters");
  if (type === "ssh-rsa" && bytes.length < 7 + 4 + 3 + 256) throw new Error("is an RSA key of fewer than 2048 bits");
  return [type, blob, ...comment].join(" ");
}

function exampleSshKey(sentence: string): string {
  const text = (value: Uint8Array) => Buffer.concat([Buffer.from([0, 0, 0, value.length]), value]);
  const blob = Buffer.concat([text(Buffer.from("ssh-ed25519")), text(createHash("sha256").update(sentence).digest())]);
  return `ssh-ed25519 ${blob.toString("base64")} example`;
}
