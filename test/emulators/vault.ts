import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Imds } from "./imds/imds.ts";
import { KeyVaultEmulator } from "./key-vault/emulator.ts";
import { TokenAuthority } from "./key-vault/tokens.ts";

const CLIENT_ID = "11111111-2222-4333-8444-555555555555";
const OBJECT_ID = "66666666-7777-4888-8999-aaaaaaaaaaaa";

const { values } = parseArgs({
  options: {
    tls: { type: "boolean", default: false },
    port: { type: "string", default: "8443" },
    "imds-port": { type: "string", default: "8169" },
    ca: { type: "string", default: "emulated-ca.pem" },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) {
  console.log(`npm run vault -- [--tls] [--port 8443] [--imds-port 8169] [--ca emulated-ca.pem]

Starts an emulated Azure Key Vault and IMDS on 127.0.0.1, with one key of each curve. Nothing is kept.
--tls   HTTPS; the authority's certificate is written to the file that --ca names`);
  process.exit(0);
}

const tokens = new TokenAuthority();
const imds = await Imds.start({
  tokens,
  port: Number(values["imds-port"]),
  identities: [{ clientId: CLIENT_ID, objectId: OBJECT_ID }],
});
const vault = await KeyVaultEmulator.start({ tokens, tls: values.tls, port: Number(values.port) });
vault.policies.grant(OBJECT_ID, [
  ...(["get", "list", "create", "import", "update", "delete", "recover", "purge", "sign", "verify"] as const),
]);
vault.createKey("baker", { crv: "P-256" });
vault.createKey("baker-secp", { crv: "P-256K" });
if (vault.authority !== undefined) writeFileSync(values.ca, vault.authority.certificate);

const curl = values.tls ? `curl -s --cacert ${values.ca}` : "curl -s";
console.log(`Key Vault (emulated): ${vault.url}    keys: baker (P-256), baker-secp (P-256K)
IMDS (emulated):      ${imds.url}    managed identity: ${CLIENT_ID}

By hand:
  TOKEN=$(curl -s -H Metadata:true '${imds.url}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net' | node -pe 'JSON.parse(fs.readFileSync(0)).access_token')
  ${curl} -H "Authorization: Bearer $TOKEN" '${vault.url}/keys?api-version=7.4'
  ${curl} -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
    -d '{"alg":"ES256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}' '${vault.url}/keys/baker//sign?api-version=7.4'

By the signer or an Azure SDK, in its environment:
  export AZURE_POD_IDENTITY_AUTHORITY_HOST=${imds.url}${values.tls ? `\n  export NODE_EXTRA_CA_CERTS=${values.ca}` : ""}
and in the signer's settings:
  keys: { kind: azure-key-vault, vault: ${vault.url}, credential: managed-identity, clientId: ${CLIENT_ID} }

Ctrl-C ends it.`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await Promise.all([vault.stop(), imds.stop()]);
  });
}
