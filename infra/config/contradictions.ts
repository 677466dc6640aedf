/**
 * Rules between several keys of the stack's configuration. Each is asked as far as the keys that it is about are right, so
 * that one round shows everything. Pure.
 * @module
 */
import { isDocumentation, tooWide } from "./addresses.ts";
import { misfit } from "./machine-image.ts";
import type { KeyName, StackConfig } from "./schema.ts";
import { type SignerConfig, signerMistakes } from "./signer-settings.ts";
import { EXAMPLE_SSH_KEY } from "./ssh-key.ts";

/** What is wrong between keys, told under one of them. */
export interface Contradiction {
  readonly key: KeyName | "the signer's settings";
  readonly value?: string;
  readonly reason: string;
}

/** Stands in for values that are wrong by themselves, so that the signer judges the rest. */
const HARMLESS: SignerConfig = {
  production: false,
  initialise: undefined,
  authorizedKeys: ["edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"],
  head: undefined,
  policy: undefined,
  chains: ["NetXdQprcVkpaWU"],
  confirm: [],
};

/**
 * Returns all contradictions.
 * @param config values that are right by themselves
 * @param isSet whether a key has a value, right or wrong
 */
export function contradictions(config: Partial<StackConfig>, isSet: (key: KeyName) => boolean): Contradiction[] {
  const found: Contradiction[] = [];
  const refuse = (key: KeyName, reason: string, value?: string) =>
    found.push({ key, reason, ...(value === undefined ? {} : { value }) });
  const { bakerIp = [], image, vmSize } = config;

  if (config.allowWideBakerIp === false) {
    for (const reason of bakerIp.map(tooWide)) {
      if (reason !== undefined) refuse("bakerIp", `${reason}; if that is meant, set allowWideBakerIp to true`);
    }
  }
  if (config.production) {
    for (const { text } of bakerIp.filter(isDocumentation)) {
      refuse("bakerIp", `${text} is reserved for documentation (RFC 5737); a production stack needs the baker's own`);
    }
    if (config.sshPublicKey === EXAMPLE_SSH_KEY) {
      refuse("sshPublicKey", "is the example; a production stack needs a key of yours", EXAMPLE_SSH_KEY);
    }
    if (config.authorizedKeys?.length === 0) {
      refuse(
        "authorizedKeys",
        "is missing: the way to the signer is plain HTTP over the Internet, and whoever sits on it can ask in the baker's " +
          "name. Give the public key of the baker's client, or take that risk and say `authorizedKeys: none`",
      );
    }
  }
  if (image !== undefined && vmSize !== undefined) {
    const reason = misfit(image, vmSize);
    const { publisher, offer, sku, version } = image;
    if (reason !== undefined) refuse("image", reason, [publisher, offer, sku, version].join(":"));
  }
  if (isSet("alertEmail") && config.monitoring === false) {
    refuse("alertEmail", "nothing would be sent: alerts need monitoring: true as well", config.alertEmail);
  }
  if (isSet("policy") && isSet("confirm")) {
    refuse("confirm", "policy is set, so put confirm into it, beside allow");
  }
  // The signer's own schemas have judged each value; what is left lies between the parts of the policy.
  const key = config.policy === undefined ? "the signer's settings" : "policy";
  for (const mistake of signerMistakes({ ...HARMLESS, ...config })) {
    found.push({ key, reason: `the signer refuses ${mistake}` });
  }
  return found;
}
