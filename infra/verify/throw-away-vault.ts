/**
 * A vault to throw away: the machine's identity may do in it what the tests need, and nobody keeps anything in it.
 * @module
 */
import { z } from "zod";
import { change } from "../arm/change.ts";
import { ArmRefusal, type Asker, get } from "../arm/client.ts";
import { notKnown, notOk, ok, type Row } from "../preflight/row.ts";
import { otherRun, ownRun, type Tags } from "./run.ts";
import type { Site } from "./site.ts";
import { VAULTS, vaultAt } from "./standing-rules.ts";
import { assumed } from "./verdicts.ts";

/** What the tests do. Purging is not among it: by that a missing right is seen. */
const RIGHTS = ["get", "list", "sign", "create", "import", "update", "delete"];

/** Made by the resource manager, as the stack makes the keys of its configuration. */
export const FIRST_KEY = "k1";

const Tagged = z.object({ tags: z.record(z.string(), z.string()).nullish() });

const Deleted = z.object({ properties: Tagged });

/** The vault, or what is left of it, is of another run that may be at work. */
class OtherRun extends Error {}

export class ThrowAwayVault {
  readonly uri: string;
  readonly #name: string;
  readonly #path: string;
  readonly #deleted: string;
  readonly #site: Site;
  readonly #run: Tags = ownRun();

  constructor(site: Site) {
    this.#site = site;
    // One name for each stack, so that what was left is found by it.
    this.#name = `tzver${site.id}`;
    this.uri = `https://${this.#name}.vault.azure.net`;
    this.#path = `${site.home}/providers/Microsoft.KeyVault/vaults/${this.#name}`;
    const { location } = site.settings;
    this.#deleted = `${site.subscription}/providers/Microsoft.KeyVault/locations/${location}/deletedVaults/${this.#name}`;
  }

  /** Takes away what an earlier run had to leave. @throws ArmRefusal, NoAnswer; OtherRun */
  async clear(asker: Asker): Promise<void> {
    const stands = await this.#ownOrNobodys(asker);
    if (stands) await this.#delete(asker);
    if ((await get(`${this.#deleted}?${VAULTS}`, asker)) !== undefined) await this.#purge(asker);
  }

  /** Tells whether the vault stands. @throws OtherRun */
  async #ownOrNobodys(asker: Asker): Promise<boolean> {
    const [stands, deleted] = [
      Tagged.safeParse(await get(`${this.#path}?${VAULTS}`, asker)),
      Deleted.safeParse(await get(`${this.#deleted}?${VAULTS}`, asker)),
    ];
    for (const tags of [stands.data?.tags, deleted.data?.properties.tags]) {
      const busy = otherRun(tags, this.#run);
      if (busy !== undefined) throw new OtherRun(busy);
    }
    return stands.success;
  }

  /** Makes the vault, and the first key in it seconds later. @returns undefined where there is a vault to go on with */
  async make(): Promise<{ readonly rows: readonly Row[]; readonly stands: boolean }> {
    const { asker, home, id, settings } = this.#site;
    const own = await vaultAt(`${home}/providers/Microsoft.KeyVault/vaults/tezos-${id}`, asker);
    const { tenantId, accessPolicies } = own.properties;
    const objectId = accessPolicies.find(({ permissions }) => permissions.keys?.includes("sign"))?.objectId;
    if (objectId === undefined)
      return { rows: [notKnown("vault made", "the stack's vault lets nobody sign")], stands: false };
    const properties = {
      tenantId,
      sku: { family: "A", name: "premium" },
      enableRbacAuthorization: false,
      accessPolicies: [{ tenantId, objectId, permissions: { keys: RIGHTS } }],
      enableSoftDelete: true,
      softDeleteRetentionInDays: 7,
    };
    const tags = { project: "tezos-signer", "to-throw-away": "verify", ...this.#run };
    await change("PUT", `${this.#path}?${VAULTS}`, { location: settings.location, tags, properties }, asker);
    // Of two that are made at once, the one that was sent last is there.
    await this.#ownOrNobodys(asker);
    return { rows: [ok("vault made", "a vault to throw away"), await this.#makeKey()], stands: true };
  }

  async #makeKey(): Promise<Row> {
    const name = "key by Azure's manager";
    const properties = { kty: "EC-HSM", curveName: "P-256K", keyOps: ["sign", "verify"] };
    try {
      await change("PUT", `${this.#path}/keys/${FIRST_KEY}?${VAULTS}`, { properties }, this.#site.asker);
      return ok(name, "made seconds after its vault");
    } catch (error) {
      if (!(error instanceof ArmRefusal)) throw error;
      // Ids go into no report, so the command asks for them itself.
      const who = '"$(az ad signed-in-user show --query id --output tsv)"';
      const scope = `"/subscriptions/$(az account show --query id --output tsv)/resourceGroups/${this.#site.group}"`;
      const role = `az role assignment create --assignee ${who} --role "Key Vault Contributor" --scope ${scope}`;
      return notOk(name, `refused (${error.status} ${error.code}): no key of the configuration could be made`, role);
    }
  }

  /** Takes the vault away, and looks meanwhile how Azure keeps what was deleted. It is not stopped by Ctrl-C. @throws OtherRun */
  async remove(asker: Asker): Promise<Row[]> {
    await this.#ownOrNobodys(asker);
    await this.#delete(asker);
    const name = "deleted vault";
    const kept = Deleted.safeParse(await get(`${this.#deleted}?${VAULTS}`, asker));
    const taken = await this.#again(asker);
    const rows = [
      assumed(
        name,
        kept.success && taken === "ConflictError",
        "it is listed, and its name is kept (409 ConflictError)",
        `${kept.success ? "listed" : "not listed"}; its name again: ${taken}`,
      ),
    ];
    try {
      await this.#purge(asker);
    } catch (error) {
      return [...rows, leftBehind(error as Error)];
    }
    const left = await get(`${this.#deleted}?${VAULTS}`, asker);
    if (left === undefined) return [...rows, ok("taken away", "vault and keys of this look are gone")];
    return [...rows, notOk("taken away", "the vault of this look is deleted, and not purged", "npm run verify")];
  }

  async #again(asker: Asker): Promise<string> {
    const { settings } = this.#site;
    const properties = {
      tenantId: "00000000-0000-0000-0000-000000000000",
      sku: { family: "A", name: "premium" },
      accessPolicies: [],
    };
    try {
      await change("PUT", `${this.#path}?${VAULTS}`, { location: settings.location, properties }, asker);
      await this.#delete(asker);
      return "made";
    } catch (error) {
      if (error instanceof ArmRefusal) return error.code;
      throw error;
    }
  }

  async #delete(asker: Asker): Promise<void> {
    await change("DELETE", `${this.#path}?${VAULTS}`, undefined, asker);
  }

  async #purge(asker: Asker): Promise<void> {
    await change("POST", `${this.#deleted}/purge?${VAULTS}`, undefined, asker);
  }
}

/** Judges that Azure does not let what was made be taken away: the next run tries it first. */
export function leftBehind(error: Error): Row {
  if (error instanceof OtherRun) return notKnown("taken away", error.message);
  const why = error instanceof ArmRefusal ? `${error.status} ${error.code}` : error.message;
  return notOk("taken away", `the vault of this look is still there (${why})`, "npm run verify");
}
