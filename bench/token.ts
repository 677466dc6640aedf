import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Ask } from "./client.ts";

const [MODULE = ""] = globSync("/usr/lib/{softhsm,*/softhsm}/libsofthsm2.so");
const PACKAGES = new URL("../hardware/package.json", import.meta.url);
const PIN = "123456";
/** How OpenSC calls the curves. */
const CURVES = { "P-256": "prime256v1", "P-256K": "secp256k1" } as const;

/** Whether there is what a token needs: SoftHSM2, and the package that loads it (npm run hardware). */
export const hasToken = MODULE !== "" && existsSync(new URL("node_modules/pkcs11js", PACKAGES));

/**
 * Makes a token of SoftHSM2's with one key, by its own tool and OpenSC's, and opens it in this process.
 * @param folder where its files go
 * @returns the signer's settings for it, C_SignInit with C_Sign alone, and what ends its use here
 */
export async function openToken(
  folder: string,
  curve: keyof typeof CURVES,
): Promise<{ readonly keys: object; readonly ask: Ask; close(): void }> {
  process.env.SOFTHSM2_CONF = join(folder, "softhsm2.conf");
  await writeFile(process.env.SOFTHSM2_CONF, `directories.tokendir = ${folder}\nlog.level = ERROR\n`);
  await writeFile(join(folder, "pin"), PIN, { mode: 0o600 });
  const init = ["--init-token", "--free", "--label", "bench", "--pin", PIN, "--so-pin", "12345678"];
  execFileSync("softhsm2-util", init, { stdio: "ignore" });
  const key = ["--keypairgen", "--key-type", `EC:${CURVES[curve]}`, "--id", "01", "--label", "baker", "--usage-sign"];
  const token = ["--module", MODULE, "--token-label", "bench", "--login", "--pin", PIN];
  execFileSync("pkcs11-tool", [...token, ...key], { stdio: "ignore" });
  const keys = { kind: "pkcs11", module: MODULE, tokenLabel: "bench", pin: { file: "pin" } };
  return { keys, ...askDirectly() };
}

function askDirectly(): { readonly ask: Ask; close(): void } {
  const { PKCS11, ...code } = createRequire(PACKAGES)("pkcs11js");
  const token = new PKCS11();
  token.load(MODULE);
  token.C_Initialize({ flags: code.CKF_OS_LOCKING_OK });
  const [slot] = token.C_GetSlotList(true);
  const session = token.C_OpenSession(slot, code.CKF_SERIAL_SESSION);
  token.C_Login(session, code.CKU_USER, PIN);
  token.C_FindObjectsInit(session, [{ type: code.CKA_CLASS, value: code.CKO_PRIVATE_KEY }]);
  const key = token.C_FindObjects(session);
  token.C_FindObjectsFinal(session);
  const [digest, signature] = [Buffer.alloc(32, 7), Buffer.alloc(256)];
  const ask: Ask = async () => {
    token.C_SignInit(session, { mechanism: code.CKM_ECDSA }, key);
    token.C_Sign(session, digest, signature);
    return 200;
  };
  const close = () => {
    token.C_Finalize();
    token.close();
  };
  return { ask, close };
}
