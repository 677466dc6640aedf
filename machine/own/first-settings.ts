import { CONFIRMATION_SOCKET } from "../../signer/contract.ts";
import { LAYOUT } from "./layout.ts";

/** The form of keys that a release can have without an edit but of names. */
const KEYS = {
  pkcs11: `keys:
  kind: pkcs11
  module: /usr/lib/softhsm/libsofthsm2.so
  tokenLabel: tezos
  pin: { file: ${LAYOUT.settingsFolder}/pin }
# In an Azure Key Vault, as whoever the variables in ${LAYOUT.environment} name:
#   { kind: azure-key-vault, vault: https://NAME.vault.azure.net, credential: default }
`,
  vault: `keys:
  kind: azure-key-vault
  vault: https://NAME.vault.azure.net
  # As whoever the variables in ${LAYOUT.environment} name.
  credential: default
# On a token of your own, with a release made by \`npm run release -- --hardware\`:
#   { kind: pkcs11, module: /usr/lib/softhsm/libsofthsm2.so, tokenLabel: tezos, pin: { file: ${LAYOUT.settingsFolder}/pin } }
`,
};

/**
 * Makes the settings that an installation begins with: it listens to its own computer alone, and makes no watermarks by itself.
 * @param hasHardware whether the release has the packages for tokens
 */
export function firstSettings(hasHardware: boolean): string {
  return `# Made by \`tezos-signer install\`. docs/reference/settings.md lists every setting. After a change: sudo tezos-signer install

listen:
  # 0.0.0.0 for a baker on another computer: then name it in allowedAddresses, and its key in authentication.
  host: 127.0.0.1
${hasHardware ? KEYS.pkcs11 : KEYS.vault}
watermarks:
  kind: sqlite
  path: ${LAYOUT.state}/watermarks.sqlite
  # A key that signed elsewhere brings its record (docs/coming-from.md). For one that never signed: the chain's level, and a
  # time within 24 hours.
  # initialise: { level: 9123456, until: 2026-11-20T16:00:00Z }

policy:
  default:
    allow: [block, preattestation, attestation]
    chains: [NetXdQprcVkpaWU]

confirmation:
  socket: ${CONFIRMATION_SOCKET}

# authentication:
#   keys: [edpk…]
`;
}
