import { z } from "zod";
import { Conversion, type Converted } from "./conversion.ts";
import { flag, noteUnknown, readDocument } from "./document.ts";
import { allowedByMagic, EVERYTHING, noteDrain } from "./permissions.ts";

const signingKey = z.looseObject({
  curve_alias: z.int(),
  allowed_ops: z.array(z.int()),
  auth_req: flag,
});
const checks = z.looseObject({
  remote_ip_check: flag,
  auth_check: flag,
  signing_policy_check: flag,
  high_water_mark_check: flag,
});
const config = z.looseObject({
  security: checks,
  allowed_ips: z.array(z.string()),
  policy: z.looseObject({ signing_keys: z.record(z.string(), signingKey) }),
});
const KNOWN = [...Object.keys(config.shape), "verbose", "high_water_marks"];

/** Converts the config.yaml of Tezio's signer (prof-groff/tezio signer/config.yaml, tezio_signer.py). */
export function convertTezio(text: string): Converted {
  const { security, allowed_ips: addresses, policy, ...others } = readDocument(config, text);
  const conversion = new Conversion();
  const { settings } = conversion;
  noteUnknown(conversion, others, KNOWN, "");
  noteUnknown(conversion, security, Object.keys(checks.shape), "security.");
  noteUnknown(conversion, policy, ["signing_keys", "auth_key"], "policy.");
  settings.listen.port = 5000;
  settings.keys = { kind: "tezio", device: "/dev/ttyACM0" };
  conversion.note("by-hand", "listen", "host and port stood in gunicorn's line (--bind), not in this file.");
  if (security.remote_ip_check) settings.allowedAddresses = addresses;
  if (!security.high_water_mark_check) {
    conversion.note("stricter", "security.high_water_mark_check", "watermarks are always checked here.");
  }
  let authenticated = false;
  for (const [address, key] of Object.entries(policy.signing_keys)) {
    const { allowed_ops: bytes, auth_req: asked } = key;
    const place = `policy.signing_keys.${address}`;
    if (!/^tz[23]/.test(address)) {
      conversion.note("lost", place, "this signer has tz2 and tz3 keys only.");
      continue;
    }
    noteUnknown(conversion, key, [...Object.keys(signingKey.shape), "auth_prefix"], `${place}.`);
    authenticated ||= security.auth_check && asked;
    if (security.signing_policy_check) {
      settings.policy[address] = { allow: allowedByMagic(bytes, conversion, `${place}.allowed_ops`) };
    } else {
      settings.policy[address] = { allow: [...EVERYTHING] };
      noteDrain(conversion, "security.signing_policy_check");
    }
  }
  if (authenticated) {
    conversion.lostGuard(
      "policy.auth_key",
      "has the client's address only, and this signer needs its public key: put it into authentication.keys (`octez-client show address NAME` prints it).",
    );
  }
  conversion.note(
    "by-hand",
    "keys",
    "the keys stay on the board. It took the first port that is an Arduino's: put the board's name in /dev/serial/by-id/ into keys.device (docs/tezio.md).",
  );
  conversion.note(
    "by-hand",
    "high_water_marks",
    'they are those that it was started with, and what it signed since stands nowhere: docs/coming-from.md, "Tezio".',
  );
  return conversion.done();
}
