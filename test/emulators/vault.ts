import { writeFileSync } from "node:fs";
import { commandLine, wholeNumberFrom } from "./command-line.ts";
import { Imds } from "./imds/imds.ts";
import { KeyVaultEmulator } from "./key-vault/emulator.ts";
import { TokenAuthority } from "./key-vault/tokens.ts";

const CLIENT_ID = "11111111-2222-4333-8444-555555555555";
const OBJECT_ID = "66666666-7777-4888-8999-aaaaaaaaaaaa";

interface Options {
  readonly tls?: true;
  readonly port: number;
  readonly imdsPort: number;
  readonly ca: string;
}

const port = wholeNumberFrom(0, 65_535);
const options = commandLine(
  "vault",
  "Starts an emulated Azure Key Vault and IMDS on 127.0.0.1, with one key of each curve. Nothing is kept. Port 0 is a free one.",
)
  .option("--port <number>", "where the vault listens", port, 8443)
  .option("--imds-port <number>", "where IMDS listens", port, 8169)
  .option("--tls", "HTTPS; the authority's certificate is written to the file that --ca names")
  .option("--ca <file>", "the authority's certificate", "emulated-ca.pem")
  .parse()
  .opts<Options>();

/** Ends with a sentence where a port or the file cannot be had. */
async function orEnd<T>(work: () => T | Promise<T>, remedy: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    console.error(`The emulators cannot be started: ${(error as Error).message}. ${remedy}`);
    process.exit(1);
  }
}

const tokens = new TokenAuthority();
const identities = [{ clientId: CLIENT_ID, objectId: OBJECT_ID }];
const imds = await orEnd(
  () => Imds.start({ tokens, port: options.imdsPort, identities }),
  "Stop what has the port, or name another with --imds-port.",
);
const vault = await orEnd(
  () => KeyVaultEmulator.start({ tokens, tls: options.tls ?? false, port: options.port }),
  "Stop what has the port, or name another with --port.",
);
vault.policies.grant(OBJECT_ID, [
  ...(["get", "list", "create", "import", "update", "delete", "recover", "purge", "sign", "verify"] as const),
]);
vault.createKey("baker", { crv: "P-256" });
vault.createKey("baker-secp", { crv: "P-256K" });
const certificate = vault.authority?.certificate;
if (certificate !== undefined) {
  await orEnd(() => writeFileSync(options.ca, certificate), "Name another file with --ca.");
}

const curl = options.tls ? `curl -s --cacert ${options.ca}` : "curl -s";
console.log(`Key Vault (emulated): ${vault.url}    keys: baker (P-256), baker-secp (P-256K)
IMDS (emulated):      ${imds.url}    managed identity: ${CLIENT_ID}

By hand:
  TOKEN=$(curl -s -H Metadata:true '${imds.url}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net' | node -pe 'JSON.parse(fs.readFileSync(0)).access_token')
  ${curl} -H "Authorization: Bearer $TOKEN" '${vault.url}/keys?api-version=7.4'
  ${curl} -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{"alg":"ES256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}' '${vault.url}/keys/baker//sign?api-version=7.4'

By the signer or an Azure SDK, in its environment:
  export AZURE_POD_IDENTITY_AUTHORITY_HOST=${imds.url}${options.tls ? `\n  export NODE_EXTRA_CA_CERTS=${options.ca}` : ""}
and in the signer's settings:
  keys: { kind: azure-key-vault, vault: ${vault.url}, credential: managed-identity, clientId: ${CLIENT_ID} }

Ctrl-C ends it.`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await Promise.all([vault.stop(), imds.stop()]);
  });
}
