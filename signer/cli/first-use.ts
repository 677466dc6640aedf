import { access, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { writeNewFile } from "../key-files/key-file.ts";
import { generateLocalKey, localPassphrase } from "../keys/local/keyring.ts";
import type { Curve } from "../tezos/crypto/curve.ts";
import { CONSENSUS_KINDS } from "../tezos/payload/consensus-kind.ts";
import { FIRST_USE_SETTINGS } from "./settings-source.ts";
import type { Terminal } from "./terminal.ts";

/** Where `serve` without settings keeps everything, below the current directory; .gitignore names it. */
const FIRST_USE_FOLDER = dirname(FIRST_USE_SETTINGS);

/** What a test key may sign: what a baker needs, and by hand what moves money. */
const SETTINGS = {
  keys: { kind: "local", path: "keys" },
  watermarks: {
    kind: "sqlite",
    path: "watermarks.sqlite",
    initialise: "always",
    maxStep: "off",
  },
  policy: {
    default: { allow: [...CONSENSUS_KINDS], confirm: ["reveal", "transaction", "delegation"] },
  },
  confirmation: { socket: "confirm.sock" },
  listKnownKeys: true,
};

const HEADER = `# Made by \`npm start\`, for trying things out with a test key. docs/reference/settings.md lists every setting.
`;

/** In the made settings, since nobody but the user has the client's key. */
const FOOTER = `# Who may ask: everybody on this computer, until you give your client's public key here. octez signs with it by itself:
#   octez-client gen keys signer-access && octez-client show address signer-access
# authentication:
#   keys: [edpk…]
`;

/**
 * Makes a test key of this curve and settings for it, unless they are there already.
 * @returns the settings' path
 */
export async function prepareFirstUse(terminal: Terminal, curve: Curve): Promise<string> {
  const keys = join(FIRST_USE_FOLDER, SETTINGS.keys.path);
  const key = join(keys, curve === "P-256" ? "tz3.pem" : "tz2.pem");
  if (!(await exists(key))) {
    const passphrase = await localPassphrase(keys);
    const { address } = await generateLocalKey(curve, key, passphrase);
    terminal.print(`Made a test key, ${address}, in ${key}\n`);
  }
  if (await exists(FIRST_USE_SETTINGS)) await takeFromFolder(FIRST_USE_SETTINGS);
  else await writeNewFile(FIRST_USE_SETTINGS, HEADER + stringify(SETTINGS) + FOOTER);
  return FIRST_USE_SETTINGS;
}

/** Version 0.1.0 wrote paths that begin at the current folder; they begin at the file's now. */
async function takeFromFolder(settings: string): Promise<void> {
  const text = await readFile(settings, "utf8").catch(() => "");
  const mended = text.replaceAll(/^( *(?:path|socket): )\.tezos-signer\//gm, "$1");
  if (mended === text) return;
  await writeFile(`${settings}.new`, mended, { mode: 0o600 });
  await rename(`${settings}.new`, settings);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
