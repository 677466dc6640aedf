import type { Permission } from "../../policy/policy.ts";
import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import { OPERATION_KINDS } from "../../tezos/payload/operation.ts";
import { permissionSchema } from "../schema.ts";
import type { Conversion } from "./conversion.ts";

/** Every operation but the one that empties the manager's balance: whoever wants that one names it. */
export const OPERATIONS: readonly Permission[] = OPERATION_KINDS.filter((kind) => kind !== "drain_delegate");

/** Tells whether a text names what a policy can allow. */
export function isPermission(name: string): name is Permission {
  return permissionSchema.safeParse(name).success;
}

/** What begins with a magic byte (octez docs, key-management.rst). Those of before Tenderbake stand for what came after them. */
const MAGIC: ReadonlyMap<number, readonly Permission[]> = new Map([
  [0x01, ["block"]],
  [0x02, ["preattestation", "attestation"]],
  [0x03, OPERATIONS],
  [0x05, ["pack"]],
  [0x11, ["block"]],
  [0x12, ["preattestation"]],
  [0x13, ["attestation"]],
] as const);

/** All that a signer without a policy signs, as far as it may be signed at all. */
export const EVERYTHING: readonly Permission[] = [...CONSENSUS_KINDS, ...OPERATIONS, "pack"];

/** Returns what magic bytes allow, and notes those that are never signed here. */
export function allowedByMagic(bytes: readonly number[], conversion: Conversion, place: string): Permission[] {
  const allowed = new Set<Permission>();
  for (const byte of bytes) {
    const name = `0x${byte.toString(16).padStart(2, "0")}`;
    const meant = MAGIC.get(byte);
    for (const permission of meant ?? []) allowed.add(permission);
    if (meant === undefined) conversion.note("stricter", place, `${name} is never signed here.`);
    if (byte === 0x01 || byte === 0x02) {
      conversion.note(
        "stricter",
        place,
        `${name} is of before Tenderbake and never signed here; ${meant?.join(" and ")} took its place on the chain, and is in \`allow\`.`,
      );
    }
  }
  if (bytes.includes(0x03)) noteDrain(conversion, place);
  return [...allowed];
}

/** Notes that a signer which allows every operation becomes one that allows every operation but one. */
export function noteDrain(conversion: Conversion, place: string): void {
  conversion.note(
    "stricter",
    place,
    "allowed drain_delegate too, which empties the manager's balance: name it under the key's own address if you want it.",
  );
}

/** Returns what is left for a person to say yes to. */
export function confirmable(allow: readonly Permission[]): Permission[] {
  return [...OPERATIONS, "pack" as const].filter((kind) => !allow.includes(kind));
}
