// Opens a keyring and prints its addresses; by default with @azure/identity's default credential. A process of its own, because that
// library keeps its tokens, and where it found them, for the whole process.
import pino from "pino";
import { openAzureKeyVaultKeyring } from "../../../../signer/keys/azure-key-vault/keyring.ts";

const [vault = "", clientId, kind] = process.argv.slice(2);
const credential = kind === "managed-identity" ? kind : "default";
const logger = pino({ level: "silent" });
const keyring = await openAzureKeyVaultKeyring({ vault, include: () => "all", credential, clientId, logger });
console.log([...keyring.keys.keys()].join(" "));
await keyring.close();
