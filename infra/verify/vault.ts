/**
 * How Azure's vault and HSM behave, in a vault to throw away: made for it, and taken away whatever comes.
 * @module
 */
import { parseKek, wrapKey } from "../../signer/key-files/byok.ts";
import { PrivateKey } from "../../signer/key-files/private-key.ts";
import { notKnown, type Row } from "../preflight/row.ts";
import { rowsOf } from "../preflight/table.ts";
import { onMachine } from "./machine.ts";
import type { Site } from "./site.ts";
import { type Answers, picked } from "./step.ts";
import { leftBehind, ThrowAwayVault } from "./throw-away-vault.ts";
import { importRows, vaultRows } from "./vault-rows.ts";
import { IMPORT_ROWS, importSteps, VAULT_ROWS, vaultSteps } from "./vault-steps.ts";

/**
 * Makes the vault, has the machine use it, and takes it away.
 * @returns the rows, also where it was ended in the middle: then those that are not known say so
 */
export async function inThrowAwayVault(site: Site): Promise<Row[]> {
  const vault = new ThrowAwayVault(site);
  // What is taken away is not ended by Ctrl-C.
  const { signal: _, ...asker } = site.machine.asker;
  const rows: Row[] = [];
  const made = { tried: false, stands: false };
  const make = async () => {
    await vault.clear(asker);
    made.tried = true;
    const { rows, stands } = await vault.make();
    made.stands = stands;
    return [...rows];
  };
  rows.push(...(await rowsOf({ rows: ["vault made", "key by Azure's manager"], examine: make }, site)));
  let exchange: Answers | undefined;
  const look = async () => {
    exchange = await onMachine(site.machine, vaultSteps(vault.uri));
    return vaultRows(exchange);
  };
  if (made.stands) {
    rows.push(...(await rowsOf({ rows: VAULT_ROWS, examine: look }, site)));
    const imports = () => wrappedImports(site, vault.uri, exchange);
    rows.push(...(await rowsOf({ rows: IMPORT_ROWS, examine: imports }, site)));
  } else rows.push(...[...VAULT_ROWS, ...IMPORT_ROWS].map((name) => notKnown(name, "there is no vault for it")));
  // A request that was cut off may have made it.
  if (!made.tried) return rows;
  return [...rows, ...(await vault.remove(asker).catch((error: Error) => [leftBehind(error)]))];
}

/** Wraps a key for the exchange key that the machine has made, as an operator's own computer does. */
async function wrappedImports({ machine }: Site, uri: string, told: Answers | undefined): Promise<Row[]> {
  const exchange = told?.("exchange");
  if (exchange?.status !== 200) throw new Error("there is no exchange key");
  const member = (name: string) => picked(exchange, name);
  const kek = parseKek(
    JSON.stringify(Object.fromEntries(["kid", "kty", "key_ops", "n", "e"].map((name) => [name, member(name)]))),
  );
  using key = PrivateKey.generate("P-256K");
  const file = JSON.parse(wrapKey(key, kek)) as { ciphertext: string };
  const blob = (ciphertext: string) => Buffer.from(JSON.stringify({ ...file, ciphertext })).toString("base64url");
  const steps = importSteps(uri, blob(file.ciphertext), blob(file.ciphertext.slice(0, -44)));
  return importRows(await onMachine(machine, steps), key.publicKey.address);
}
