/**
 * From this computer: nobody else gets in.
 * @module
 */
import { connect } from "node:net";
import { SIGNER_PORT } from "../../signer/contract.ts";
import type { Block } from "../config/addresses.ts";
import { isIn } from "../preflight/address.ts";
import { type Check, notKnown, notOk, ok, type Row } from "../preflight/row.ts";
import type { Heard, Site, Way } from "./site.ts";
import { assumed, PUT_BACK } from "./verdicts.ts";

/** Key Vault's API version that the signer asks with (@azure/keyvault-keys). */
export const VAULT_VERSION = "api-version=2025-07-01";

/** Connects to a port of another computer, and leaves. */
export function reach(host: string, port: number): Promise<Way> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 10_000 });
    const end = (way: Way) => {
      socket.destroy();
      resolve(way);
    };
    socket.on("connect", () => end("open"));
    socket.on("timeout", () => end("silent"));
    socket.on("error", ({ code }: NodeJS.ErrnoException) => end(code === "ETIMEDOUT" ? "silent" : "refused"));
  });
}

/** Judges a port of the machine. @param allowed those whom the configuration lets in */
export function port(
  number: number,
  way: Way,
  here: string | undefined,
  allowed: readonly Block[],
  group: string,
): Row {
  const name = `port ${number}`;
  if (here === undefined) {
    return way === "silent"
      ? ok(name, "this computer is not let in")
      : notKnown(name, "this computer's address is not known");
  }
  const mayIn = allowed.some((block) => isIn(here, block));
  if (mayIn) {
    if (way === "open") return ok(name, "it answers this computer, which the configuration lets in");
    return notOk(name, `the configuration lets this computer in, and the connection is ${way}`, PUT_BACK);
  }
  if (way === "silent") return ok(name, "nobody answers this computer, which the configuration does not let in");
  if (way === "refused") return notKnown(name, "the network of this computer lets nothing through to it");
  const says = "it answers this computer, which the configuration does not let in: stop the machine until you know why";
  const all = `az vm deallocate --ids $(az vm list --resource-group ${group} --query "[].id" --output tsv)`;
  return notOk(name, says, all);
}

/** The ports, whether this computer may reach them or not. */
export const PORTS: Check<Site> = {
  rows: [`port ${SIGNER_PORT}`, "port 22"],
  async examine({ settings, publicIp, addresses, group, reach, ownAddress }) {
    const here = await ownAddress().catch(() => undefined);
    const [signer, ssh] = await Promise.all([reach(publicIp, SIGNER_PORT), reach(addresses[0] ?? publicIp, 22)]);
    return [port(SIGNER_PORT, signer, here, settings.bakerIp, group), port(22, ssh, here, settings.adminIp, group)];
  },
};

/** Asks a service from this computer. @throws Error where it does not answer */
export async function ask(url: string, headers: Readonly<Record<string, string>>): Promise<Heard> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(20_000) });
    // A release is 100 MB, which nobody needs here.
    const text = response.ok ? "" : (await response.text()).slice(0, 2_000);
    if (response.ok) await response.body?.cancel();
    return { status: response.status, text };
  } catch {
    throw new Error("it does not answer this computer");
  }
}

/** The service's own word for its refusal: Key Vault's inner code, or Storage's code. */
function codeIn({ text }: Heard): string {
  const inner = /"innererror"\s*:\s*\{\s*"code"\s*:\s*"(\w+)"/.exec(text)?.[1];
  return inner ?? /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? "";
}

/** The vault, with a token of whoever is logged in here. */
export const VAULT_FROM_HERE: Check<Site> = {
  rows: ["vault from here"],
  async examine({ vaultUri, vaultToken, settings, ownAddress, ask }) {
    const name = "vault from here";
    const token = await vaultToken();
    const heard = await ask(`${vaultUri}/keys?${VAULT_VERSION}`, { authorization: `Bearer ${token}` });
    const { status } = heard;
    const code = codeIn(heard);
    const importer = settings.keyImporter?.ip;
    if (importer !== undefined && importer === (await ownAddress().catch(() => undefined))) {
      const isIn = status === 200 || code === "ForbiddenByPolicy";
      return [isIn ? ok(name, "this computer is let in to import keys") : notOk(name, `${status} ${code}`, PUT_BACK)];
    }
    if (status === 403 && code === "ForbiddenByFirewall") return [ok(name, "its firewall refuses this computer")];
    const says = `${status} ${code} comes from here, and not 403 ForbiddenByFirewall: somebody opened its firewall`;
    return [
      status === 401 ? notKnown(name, "the vault does not take this login's token") : notOk(name, says, PUT_BACK),
    ];
  },
};

export const VAULT_WITHOUT_TOKEN: Check<Site> = {
  rows: ["vault without a token"],
  async examine({ vaultUri, ask }) {
    const { status } = await ask(`${vaultUri}/keys?${VAULT_VERSION}`, {});
    return [assumed("vault without a token", status === 401, "401, before its firewall", `${status}, and not 401`)];
  },
};

export const RELEASE_WITHOUT_TOKEN: Check<Site> = {
  rows: ["release without a token"],
  async examine({ releaseUrl, ask }) {
    const name = "release without a token";
    const heard = await ask(releaseUrl, {});
    const came = `${heard.status} ${codeIn(heard)}`.trim();
    if (heard.status >= 400 && heard.status < 500) return [ok(name, `nobody reads it (${came})`)];
    return [notOk(name, `${came}: anybody reads it`, PUT_BACK)];
  },
};
