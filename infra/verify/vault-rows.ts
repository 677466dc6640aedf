/**
 * Judges what the vault to throw away told. Pure.
 * @module
 */

import { type PublicKey, publicKeyFromJwk } from "../../signer/tezos/crypto/public-key.ts";
import { normalise, verifySignature } from "../../signer/tezos/crypto/signature.ts";
import { notKnown, notOk, ok, type Row } from "../preflight/row.ts";
import { type Answer, type Answers, came, picked, pickedOfEach } from "./step.ts";
import { DIGEST } from "./vault-steps.ts";
import { answered, assumed, TELL } from "./verdicts.ts";

const FORBIDDEN = { status: 403, code: "ForbiddenByPolicy" };

/** Judges the first look. */
export function vaultRows(told: Answers): Row[] {
  return [policy(told("policy")), ...signing(told), ...refusals(told), ...discovery(told), ...clearImports(told)];
}

function policy(answer: Answer): Row {
  const { status, seconds = 0, first } = answer;
  if (status !== 200) {
    return notOk("policy works", `a new access policy does not work after ten minutes (${came(answer)})`, TELL);
  }
  if (first?.status === 401) return notOk("policy works", "the vault asked for another token first", TELL);
  return ok("policy works", `a new access policy works after ${seconds} s`);
}

function signing(told: Answers): Row[] {
  const first = told("signature");
  const s = pickedOfEach(told("twenty"), "s").map((byte) => Number.parseInt(String(byte), 16));
  const high = s.filter((byte) => byte >= 0x80).length;
  const different = new Set(pickedOfEach(told("twenty"), "r")).size;
  const { median = Infinity } = told("speed");
  const { most = Infinity, status } = told("fresh");
  return [
    signature(first, told("first")),
    assumed(
      "halves of S",
      s.length === 20 && s.every(Number.isFinite),
      `${high} of 20 are high: either is handled`,
      "no 64 bytes come",
    ),
    assumed("nonces", different === 20, "20 signatures of one digest differ", `${different} of 20 differ`),
    answered("short digest", told("short"), { status: 400, code: "BadParameter" }, "31 bytes are refused"),
    answered(
      "other algorithm",
      told("other algorithm"),
      { status: 400, code: "BadParameter" },
      "ES256 is refused on P-256K",
    ),
    assumed("signing speed", median < 100, `${median} ms in the middle of 100`, `${median} ms in the middle of 100`),
    assumed(
      "new connections",
      status === 200 && most < 1_500,
      `${most} ms with the longest of ten`,
      `${most} ms with the longest of ten: the signer gives one try 1,500`,
    ),
    answered("attestation", told("attestation"), { status: 200 }, "a key's can be read"),
  ];
}

function signature(answer: Answer, key: Answer): Row {
  const name = "signature";
  if (answer.status !== 200) return answered(name, answer, { status: 200 }, "");
  const bytes = Buffer.from(String(picked(answer, "value")), "base64url");
  if (bytes.length !== 64) return assumed(name, false, "", `${bytes.length} bytes, and not 64`);
  try {
    const publicKey = keyIn(key);
    const good = verifySignature(publicKey, DIGEST, normalise("P-256K", bytes));
    return assumed(name, good, "P-256K signs with ES256K, 64 bytes, and it is good", "it is not the key's");
  } catch {
    return assumed(name, false, "", "its key cannot be read");
  }
}

/** @throws EncodingError for what is no key */
function keyIn(answer: Answer): PublicKey {
  return publicKeyFromJwk({ crv: "P-256K", x: text(answer, "x"), y: text(answer, "y") });
}

function addressOf(answer: Answer): string | undefined {
  try {
    return keyIn(answer).address;
  } catch {
    return undefined;
  }
}

function text(answer: Answer, name: string): string {
  return String(picked(answer, name) ?? "");
}

function refusals(told: Answers): Row[] {
  const read = told("disabled read");
  const hasPoint = (answer: Answer) => answer.status === 200 && text(answer, "x") !== "" && text(answer, "y") !== "";
  const shown = told("deleted shown");
  const expired = told("expired");
  const all = told("flood").all ?? [];
  const throttled = all.filter(({ status }) => status === 429);
  return [
    answered("disabled key", told("disabled"), { status: 403, code: "KeyDisabled" }, "403 KeyDisabled"),
    assumed(
      "disabled key is read",
      hasPoint(read) && picked(read, "enabled") === false,
      "with its public key",
      came(read),
    ),
    assumed(
      "expired key",
      expired.status === 403 && ["KeyExpired", "KeyNotYetValid"].includes(expired.inner ?? ""),
      "403 KeyExpired",
      `${came(expired)}: the signer takes it for a missing permission`,
    ),
    answered("missing permission", told("purge"), FORBIDDEN, "403 ForbiddenByPolicy"),
    answered("deleted key", told("deleted"), { status: 404, code: "KeyNotFound" }, "404 KeyNotFound at once"),
    assumed(
      "deleted key is listed",
      shown.status === 200,
      `as deleted, after ${shown.seconds ?? 0} s`,
      `not as deleted within a minute (${came(shown)})`,
    ),
    answered("unknown version", told("other version"), { status: 400, code: "BadParameter" }, "400 BadParameter"),
    throttled.length === 0
      ? notKnown("throttling", `${all.length} keys made at once, and none refused`)
      : ok(
          "throttling",
          `429 ${throttled[0]?.code}, Retry-After ${throttled[0]?.heads?.["Retry-After"] ?? "is not there"}`,
        ),
  ];
}

function discovery(told: Answers): Row[] {
  const [before, tagged, versioned] = ["list 0", "list 1", "list 2"].map(told) as [Answer, Answer, Answer];
  const later = (name: string, one: Answer, other: Answer) => Number(picked(other, name)) > Number(picked(one, name));
  const versions = told("versions");
  const [one, two, next, kid] = ["one", "two", "next", "kid"].map((name) => picked(versions, name));
  const follows = next === null || next === undefined || hostOf(next) === hostOf(kid);
  const off = told("disabled version");
  return [
    assumed(
      "list tells a change",
      later("updated", before, tagged),
      "a change of tags changes attributes.updated",
      "a change of tags does not change attributes.updated: the signer would see it late",
    ),
    assumed(
      "list tells a version",
      later("created", before, versioned) && later("updated", tagged, versioned),
      "a new version changes created and updated",
      "a new version does not change created and updated",
    ),
    assumed(
      "tags of versions",
      one === "b" && (two === null || two === undefined) && follows,
      "each version has its own, and the next page is the vault's own",
      follows ? "a version shows another one's tags" : "the next page is at another host",
    ),
    assumed(
      "disabled version is read",
      off.status === 200 && text(off, "x") !== "",
      "by its id, with its public key",
      `${came(off)}: the signer passes over its tag until it is enabled`,
    ),
  ];
}

function hostOf(url: unknown): string | undefined {
  return URL.parse(String(url))?.host;
}

function clearImports(told: Answers): Row[] {
  const [one, two] = [told("import 1"), told("import 2")];
  const same = ["x", "y"].every((name) => picked(one, name) === picked(two, name));
  const crv = text(told("old name"), "crv");
  const [older, newer] = [told("old algorithm"), told("new algorithm")];
  const exchange = told("exchange");
  const ops = picked(exchange, "key_ops");
  const oldCurve = older.status === 200 && newer.status === 400;
  const newCurve = newer.status === 200 && crv === "P-256K";
  return [
    two.status >= 400
      ? ok("one key, two names", "the second import is refused, so much the better")
      : assumed(
          "one key, two names",
          one.status === 200 && same && picked(one, "kid") !== picked(two, "kid"),
          "two ids, and one public key",
          `${came(one)}, then ${came(two)}`,
        ),
    assumed(
      "curve by its old name",
      (crv === "SECP256K1" && oldCurve) || newCurve,
      crv === "P-256K"
        ? "the vault names it P-256K, and signs with ES256K"
        : "SECP256K1, which signs with ECDSA256 alone",
      `${crv || came(told("old name"))}: ECDSA256 ${came(older)}, ES256K ${came(newer)}`,
    ),
    assumed(
      "exchange key",
      exchange.status === 200 && Array.isArray(ops) && ops.join() === "import",
      "it may do nothing but import",
      exchange.status === 200 ? `it may ${String(ops)}` : came(exchange),
    ),
  ];
}

/**
 * Judges the second look: a key that was wrapped here, and a blob that is cut short.
 * @param address of that key
 */
export function importRows(told: Answers, address: string): Row[] {
  const wrapped = told("wrapped");
  const same = addressOf(wrapped) === address;
  return [
    assumed(
      "wrapped key",
      wrapped.status === 200 && same,
      "a P-256K key that was wrapped in software is imported",
      wrapped.status === 200 ? "another public key comes back" : came(wrapped),
    ),
    answered("blob cut short", told("cut short"), { status: 400, code: "BadParameter" }, "400 BadParameter"),
  ];
}
