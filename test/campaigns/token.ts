import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifySignature } from "@taquito/utils";
import { commandLine, wholeNumberFrom } from "../emulators/command-line.ts";
import { publicKey, sign } from "../emulators/octez-client.ts";
import { type SignerProcess, startSignerProcess, temporaryFolder } from "../emulators/signer-process.ts";
import { attestation } from "../fixtures/payloads.ts";
import { libraryOf, SoftToken } from "../harness/soft-token.ts";

export interface TokenCounts {
  readonly signatures: number;
  /** Every hundredth signature and the one after each accident, verified by Taquito. */
  readonly verified: number;
  /** Answers with 502, after each of which the same bytes were asked for again. */
  readonly askedAgain: number;
  /** Processes with the token's library that were killed. */
  readonly killedLibraries: number;
  /** Logins that the token forgot. */
  readonly lostLogins: number;
  /** Signers that were killed and started again. */
  readonly killedSigners: number;
}

/** What happens to the signer, in turn, each at a tenth of the way. */
const ACCIDENTS = ["kill the library", "lose the login", "kill the signer"] as const;

/**
 * Signs one attestation after another with a key on SoftHSM2, by a real signer process, while the process with the token's
 * library is killed, the token forgets the login, and the signer itself is killed. Each position must be signed, and by the key.
 * @throws Error naming the first position that was not
 */
export async function tokenCampaign(signatures: number): Promise<TokenCounts> {
  await using folder = await temporaryFolder();
  using token = SoftToken.make("faulty");
  token.tell();
  await token.generate("baker", "P-256");
  writeFileSync(join(folder.path, "settings.yaml"), JSON.stringify(settingsOf(token)));
  const counts = { signatures: 0, verified: 0, askedAgain: 0, killedLibraries: 0, lostLogins: 0, killedSigners: 0 };
  const start = () => startSignerProcess(folder.path, ["--config", "settings.yaml"]);
  let signer = await start();
  try {
    const [address = ""] = signer.addresses;
    const key = await publicKey(signer.url, address);
    const step = Math.max(1, Math.floor(signatures / 10));
    for (let level = 1; level <= signatures; level += 1) {
      const isAccident = level % step === 0;
      if (isAccident) {
        const accident = ACCIDENTS[(level / step) % ACCIDENTS.length];
        if (accident === "kill the library") {
          process.kill(libraryOf(signer), "SIGKILL");
          counts.killedLibraries += 1;
        } else if (accident === "lose the login") {
          token.tell("C_SignInit 257 once");
          counts.lostLogins += 1;
        } else {
          await signer.end("SIGKILL");
          signer = await start();
          counts.killedSigners += 1;
        }
      }
      const payload = attestation({ level }).toString("hex");
      const signature = await untilSigned(signer, address, payload, counts);
      counts.signatures += 1;
      if (!isAccident && level % 100 !== 0) continue;
      if (!verifySignature(payload, key, signature)) throw new Error(`level ${level}: the signature is not the key's`);
      counts.verified += 1;
    }
    return counts;
  } finally {
    await signer[Symbol.asyncDispose]();
  }
}

function settingsOf(token: SoftToken): object {
  return {
    listen: { port: 0 },
    admin: { port: 0 },
    keys: token.settings,
    watermarks: { kind: "sqlite", path: "watermarks.sqlite", initialise: "always", maxStep: "off" },
    policy: { default: { allow: ["attestation"] } },
  };
}

async function untilSigned(
  signer: SignerProcess,
  address: string,
  payload: string,
  counts: { askedAgain: number },
): Promise<string> {
  for (;;) {
    const { status, signature, message } = await sign(signer.url, address, payload, { retries: 0 });
    if (signature !== undefined) return signature;
    if (status !== 502) throw new Error(`${status}: ${message}`);
    counts.askedAgain += 1;
  }
}

if (import.meta.main) {
  const started = performance.now();
  const { signatures } = commandLine(
    "test:token",
    "Signs with a key on SoftHSM2 while its library and the signer are killed and its login is lost.",
  )
    .option("--signatures <number>", "how many", wholeNumberFrom(10), 10_000)
    .parse()
    .opts<{ signatures: number }>();
  const counts = await tokenCampaign(signatures);
  console.log(JSON.stringify({ ...counts, seconds: Math.round((performance.now() - started) / 1_000) }));
}
