import { z } from "zod";
import type { KeyPolicy, Permission } from "../../policy/policy.ts";
import { type Conversion, ConversionError } from "./conversion.ts";
import { noteUnknown } from "./document.ts";
import { isPermission } from "./permissions.ts";

const names = z.array(z.string());

/** The rule of one key (pkg/config/config.go, TezosPolicy), but for its clients. */
export const tezosKey = z.looseObject({
  allow: z.record(z.string(), names.nullish()).nullish(),
  allowed_operations: names.nullish(),
  allowed_kinds: names.nullish(),
  allowed_chains: names.nullish(),
  allow_proof_of_possession: z.boolean().nullish(),
  log_payloads: z.boolean().nullish(),
  jwt_users: names.nullish(),
});

/** What a key without a rule of its own may sign (pkg/signatory/signatory.go, defaultPolicy). */
const DEFAULT: readonly string[] = ["block", "preattestation", "attestation"];
const RENAMED: Readonly<Record<string, string>> = {
  endorsement: "attestation",
  preendorsement: "preattestation",
  double_endorsement_evidence: "double_consensus_operation_evidence",
  double_preendorsement_evidence: "double_consensus_operation_evidence",
  double_attestation_evidence: "double_consensus_operation_evidence",
  double_preattestation_evidence: "double_consensus_operation_evidence",
};
const VOTES = ["ballot:yay", "ballot:nay", "ballot:pass"];

/** Returns the rule that a key of Signatory's gets here. @throws ConversionError for a ballot of no kind */
export function signatoryRule(
  address: string,
  own: z.output<typeof tezosKey> | null,
  conversion: Conversion,
): KeyPolicy {
  const place = `tezos.${address}`;
  const { requests, operations } = askedFor(own);
  const allow = new Set(requests.flatMap((name) => requestPermission(name, requests, conversion, place)));
  const ballots = operations.filter((name) => name.startsWith("ballot:"));
  for (const name of operations.filter((each) => !each.startsWith("ballot:"))) {
    const permission = RENAMED[name] ?? name;
    if (isPermission(permission) && !["block", "preattestation", "attestation", "pack"].includes(permission)) {
      allow.add(permission);
    } else conversion.note("lost", `${place}.allow.generic.${name}`, "is no operation that is signed here.");
  }
  const strange = ballots.find((name) => !VOTES.includes(name));
  if (strange !== undefined) throw new ConversionError(`${place}.allow.generic: ballot:… is yay, nay or pass.`);
  const confirm: Permission[] = [];
  if (VOTES.every((vote) => ballots.includes(vote))) allow.add("ballot");
  else if (ballots.length > 0 && !allow.has("ballot")) {
    confirm.push("ballot");
    conversion.confirmBySocket(
      `${place}.allow.generic`,
      "A rule does not look at what a ballot votes for, so ballots wait.",
    );
  }
  noteTheRest(place, own ?? {}, conversion);
  return {
    allow: [...allow],
    ...(confirm.length > 0 && { confirm }),
    ...(own?.allowed_chains && { chains: own.allowed_chains }),
  };
}

/** The kinds of requests and of operations that a rule names, in its new form or its old one. */
function askedFor(own: z.output<typeof tezosKey> | null) {
  if (own === null) return { requests: DEFAULT, operations: [] };
  const { allow, allowed_operations: requests, allowed_kinds: operations } = own;
  const read =
    allow !== null && allow !== undefined
      ? { requests: Object.keys(allow), operations: allow.generic ?? [] }
      : { requests: requests ?? [], operations: operations ?? [] };
  const isGeneric = read.requests.includes("generic");
  return {
    requests: read.requests.filter((name) => name !== "generic").map((name) => RENAMED[name] ?? name),
    operations: isGeneric ? read.operations : [],
  };
}

function requestPermission(
  name: string,
  requests: readonly string[],
  conversion: Conversion,
  place: string,
): readonly Permission[] {
  const both = requests.includes("attestation") && requests.includes("attestation_with_dal");
  if (/^attestation(_with_dal)?$/.test(name)) {
    if (!both) {
      conversion.note(
        "laxer",
        `${place}.allow.${name}`,
        "attestations with and without DAL are one kind here: both are signed.",
      );
    }
    return ["attestation"];
  }
  if (isPermission(name) && ["block", "preattestation", "pack", "failing_noop"].includes(name)) return [name];
  conversion.note("lost", `${place}.allow.${name}`, "is no kind of request that is signed here.");
  return [];
}

function noteTheRest(place: string, own: z.output<typeof tezosKey>, conversion: Conversion): void {
  if (own.allow_proof_of_possession) {
    conversion.note("lost", `${place}.allow_proof_of_possession`, "is about tz4 keys, which this signer has not.");
  }
  if (own.log_payloads) {
    conversion.note(
      "lost",
      `${place}.log_payloads`,
      "the log has each request's kind, position and digest, not its bytes.",
    );
  }
  if (own.jwt_users) conversion.note("lost", `${place}.jwt_users`, "there are no users here.");
  noteUnknown(conversion, own, [...Object.keys(tezosKey.shape), "authorized_keys"], `${place}.`);
}
