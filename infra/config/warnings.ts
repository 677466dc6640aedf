/**
 * What is allowed and yet wants a second look. Pure; `plan`, `preview` and `up` print it, and refuse nothing by it.
 * @module
 */

import { isDocumentation, parseBlocks } from "./addresses.ts";
import { privateNodeName } from "./head-node.ts";
import { strangeness } from "./machine-image.ts";
import { hasZones } from "./pair.ts";
import { isKnownRegion } from "./regions.ts";
import type { StackConfig } from "./schema.ts";
import { EXAMPLE_SSH_KEY } from "./ssh-key.ts";

/**
 * Returns the warnings for a configuration, a sentence each.
 * @param config as far as it is right: a key that has a mistake is not in it, and what that might mean is left out
 * @param now milliseconds since 1970
 */
export function warnings(config: Partial<StackConfig>, now = Date.now()): string[] {
  return [
    ...placeholders(config),
    ...placesAndImages(config),
    ...gaps(config),
    ...closedWindow(config, now),
    ...twoBakers(config),
    ...halfAPair(config),
    ...keysWithoutBackup(config),
  ];
}

function* placeholders({
  bakerIp = [],
  adminIp = [],
  metricsIp = [],
  keyImporter,
  sshPublicKey,
}: Partial<StackConfig>): Iterable<string> {
  const importer = keyImporter === undefined ? [] : parseBlocks([keyImporter.ip], { wide: false }).blocks;
  const cures = [
    ["set bakerIp to your baker's address", bakerIp],
    ["set adminIp to your own address", adminIp],
    ["set metricsIp to the address of your Prometheus or browser", metricsIp],
    ["set keyImporter.ip to the address that the key importer works from", importer],
  ] as const;
  for (const [cure, blocks] of cures) {
    const texts = blocks.filter(isDocumentation).map(({ text }) => text);
    if (texts.length > 0) yield `${texts.join(", ")} is reserved for documentation (RFC 5737): ${cure}`;
  }
  if (sshPublicKey === EXAMPLE_SSH_KEY) {
    yield "sshPublicKey is the example: nobody holds its private half, so nobody can log in";
  }
}

/** What Azure has, or may have, and this project was not tried with. */
function* placesAndImages({ location, image }: Partial<StackConfig>): Iterable<string> {
  if (location !== undefined && !isKnownRegion(location)) {
    yield `location ${location} is no region that is known here: \`az account list-locations --query "[].name" -o tsv\` prints those that there are`;
  }
  const strange = image === undefined ? undefined : strangeness(image);
  if (strange !== undefined) yield `image ${strange}`;
}

function* gaps(config: Partial<StackConfig>): Iterable<string> {
  const { production, authorizedKeys, monitoring, alertEmail, alertWebhook, head } = config;
  if (production && "initialise" in config && config.initialise === undefined) {
    yield "initialise is not set: right once the signer has signed; a new one finds no watermarks, and signs nothing";
  }
  if (production && authorizedKeys === "none") {
    yield "authorizedKeys is none: whoever sits on the way between baker and signer can ask in the baker's name";
  }
  if (production && monitoring === false) {
    yield "monitoring is not set: no audit log says what the keys signed, and no alert says that they stopped";
  }
  if (monitoring && alertEmail === "" && !alertWebhook) {
    yield "alertEmail is not set: alerts show in Azure's portal alone, and nobody is told";
  }
  const node = privateNodeName(head);
  if (node !== undefined) {
    yield `head.node ${node} looks like a private name, and the firewall lets a name lead to public addresses only: give the node's address`;
  }
}

/** A window that has closed is right once the signer has signed: until then it is the same as none. */
function* closedWindow({ initialise }: Partial<StackConfig>, now: number): Iterable<string> {
  if (initialise === undefined || Date.parse(initialise.until) > now) return;
  yield `initialise.until, ${initialise.until}, is past: right once the signer has signed; a new one finds no watermarks, and signs nothing`;
}

/** Imported keys are not listed, so no key in the list may well be one. */
function* twoBakers({ bakerIp = [], keys }: Partial<StackConfig>): Iterable<string> {
  if (bakerIp.length < 2 || keys === undefined || keys.length > 1) return;
  const texts = bakerIp.map(({ text }) => text).join(", ");
  yield `bakerIp names ${bakerIp.length} addresses (${texts}) for one key: never run two bakers with it, that is how bakers are slashed`;
}

/** What of a pair still stands in one building. */
function* halfAPair({ instances, location, redundancy }: Partial<StackConfig>): Iterable<string> {
  if (instances !== 2 || location === undefined) return;
  if (!hasZones(location)) {
    yield `location ${location} has no zones: the two machines, and all else, may stand in one building`;
  } else if (redundancy === "LRS") {
    yield "redundancy is LRS: the machines are in two zones and the table in one building, without which neither signs; ZRS has it in three zones";
  }
}

function* keysWithoutBackup({ keys = [] }: Partial<StackConfig>): Iterable<string> {
  for (const { name } of keys) {
    yield `the key ${name} is made in the HSM and has no backup: if the vault is lost, so is the key`;
  }
}
