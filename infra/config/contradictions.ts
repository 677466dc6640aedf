/**
 * Rules between several keys of the stack's configuration. Each is asked as far as the keys that it is about are right, so
 * that one round shows everything. Pure.
 * @module
 */
import { isDocumentation, tooWide } from "./addresses.ts";
import { EXAMPLE_CLIENT } from "./example-client.ts";
import { type Beside, howToSet } from "./examples.ts";
import { misfit } from "./machine-image.ts";
import type { KeyName } from "./schema.ts";
import { type SignerConfig, signerMistakes, tooLong } from "./signer-settings.ts";
import { EXAMPLE_SSH_KEY } from "./ssh-key.ts";

/** What is wrong between keys, told under one of them. */
export interface Contradiction {
  readonly key: KeyName | "the signer's settings";
  readonly value?: string;
  readonly reason: string;
  /** How it is mended, where that is not to set the key itself. */
  readonly example?: string;
}

/** Stands in for values that are wrong by themselves, so that the signer judges the rest. */
const HARMLESS: SignerConfig = {
  production: false,
  initialise: undefined,
  authorizedKeys: [EXAMPLE_CLIENT],
  head: undefined,
  policy: undefined,
  chains: ["NetXdQprcVkpaWU"],
  confirm: [],
  location: "northeurope",
  metricsIp: [],
  monitoring: false,
};

/** Returns all contradictions. @param beside values that are right by themselves */
export function contradictions(beside: Beside): Contradiction[] {
  const { config, isSet } = beside;
  const found: Contradiction[] = [];
  const refuse = (key: KeyName, reason: string, more: Pick<Contradiction, "value" | "example"> = {}) =>
    found.push({ key, reason, ...more });
  const { bakerIp = [], image, vmSize, authorizedKeys } = config;

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
      refuse("sshPublicKey", "is the example; a production stack needs a key of yours", { value: EXAMPLE_SSH_KEY });
    }
    if (authorizedKeys?.includes(EXAMPLE_CLIENT)) {
      refuse("authorizedKeys", `${EXAMPLE_CLIENT} is the example; a production stack needs the key of its own client`);
    }
    if (authorizedKeys?.length === 0) {
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
    if (reason !== undefined) refuse("image", reason, { value: [publisher, offer, sku, version].join(":") });
  }
  if (config.instances === 2 && config.waitForSigner === false) {
    const reason = "one of two machines is touched once the other signs, and an up that does not wait cannot know";
    refuse("waitForSigner", reason, { example: "for example: pulumi config set waitForSigner true" });
  }
  for (const name of ["alertEmail", "alertWebhook"] as const) {
    if (!isSet(name) || config.monitoring !== false) continue;
    const example = "for example: pulumi config set monitoring true";
    const value = name === "alertEmail" ? { value: config.alertEmail ?? "" } : {};
    refuse(name, "nothing would be sent: alerts need monitoring: true as well", { ...value, example });
  }
  if (isSet("policy") && isSet("confirm")) {
    refuse("confirm", "policy is set, so put confirm into it, beside allow");
  }
  const noClients = authorizedKeys === "none" || authorizedKeys?.length === 0;
  // A production stack without its clients' keys is told so above.
  if (noClients && !(config.production && authorizedKeys.length === 0)) {
    for (const [who, { authentication }] of Object.entries(config.policy ?? {})) {
      if (authentication !== true) continue;
      const reason = `${who}.authentication wants a client's signature, and authorizedKeys names no client's key`;
      refuse("policy", reason, { example: howToSet("authorizedKeys", undefined, beside) });
    }
  }
  // The signer's own schemas have judged each value; what is left lies between the parts of the policy.
  const key: Contradiction["key"] = config.policy === undefined ? "the signer's settings" : "policy";
  const clients = noClients && config.policy !== undefined ? { authorizedKeys: HARMLESS.authorizedKeys } : {};
  const judged = { ...HARMLESS, ...config, ...clients };
  const refused = signerMistakes(judged).map((mistake) => `the signer refuses ${mistake}`);
  const reasons = refused.length > 0 ? refused : [tooLong(judged)].filter((reason) => reason !== undefined);
  return [...found, ...reasons.map((reason) => ({ key, reason }))];
}
