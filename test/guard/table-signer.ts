import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Confirmations } from "../../signer/confirmation/confirmations.ts";
import { openLocalKeyring } from "../../signer/keys/local/keyring.ts";
import { SigningService } from "../../signer/signing/signing-service.ts";
import { Guard } from "../../signer/watermark/guard.ts";
import { AzureTableStore } from "../../signer/watermark/stores/azure-table.ts";
import { TrustedStore } from "../../signer/watermark/trusted-store.ts";
import { tableCredential } from "../emulators/azurite.ts";
import { allAt } from "../harness/guarded-signer.ts";
import { logLines } from "../harness/log-lines.ts";
import { requestSettings } from "../harness/request-settings.ts";
import { openSigningPort } from "../harness/signing-port.ts";

/**
 * A signer in a process of its own, as main.ts wires it, on a table that Azurite serves; its token is a test's, which is all
 * that `serve` itself would not do. Sends its URL and address to the parent.
 */
export const PASSPHRASE = Buffer.from("for tests");

if (import.meta.main) {
  const [endpoint = "", table = "", keys = ""] = process.argv.slice(2);
  setDefaultCACertificates([...getCACertificates("default"), process.env.SIGNER_CA ?? ""]);
  const keyring = await openLocalKeyring({ path: keys, passphrase: PASSPHRASE });
  const store = new TrustedStore({
    store: new AzureTableStore({ endpoint, table, credential: tableCredential }),
    initialise: "always",
    clock: Date.now,
  });
  const settings = requestSettings({
    policy: { default: { allow: ["block", "preattestation", "attestation"] }, keys: new Map() },
  });
  const service = new SigningService({
    settingsHome: "file",
    keyring,
    store,
    guard: new Guard({ store, maxStep: "off", minimalBlockDelay: 1, budgets: allAt(4_000), clock: Date.now }),
    settings: { current: settings },
    head: { of: () => undefined },
    confirmations: new Confirmations({ logger: logLines().log }),
    budget: 4_000,
  });
  const { url } = await openSigningPort(service, { settings });
  process.send?.({ url, address: service.addresses()[0] });
}
