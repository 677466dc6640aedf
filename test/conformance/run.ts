import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { verifySignature } from "@taquito/utils";
import { publicKey, sign } from "../emulators/octez-client.ts";
import { needsSecond, runFile, type Subject, suiteFiles } from "./suite.ts";

/**
 * Runs the public suite against any Tezos signer that speaks octez's HTTP contract:
 *   node test/conformance/run.ts URL ADDRESS "COMMAND THAT KILLS AND STARTS IT AGAIN" [URL OF A SECOND SIGNER OF THE KEY]
 * Files that ask a second signer are left out, by name, where there is none. The key must be a tz2 or tz3 key that has no marks; allow it blocks and votes on every chain.
 */
const [url, address, command, second] = process.argv.slice(2);
if (url === undefined || address === undefined || command === undefined) {
  console.error('node test/conformance/run.ts URL ADDRESS "RESTART COMMAND" [SECOND URL]');
  process.exit(2);
}

const key = await publicKey(url, address);
/** Asks one signer, and verifies what it signs. */
function ask(signer: string, pkh: string) {
  return async (payload: string): Promise<string | undefined> => {
    const { signature } = await sign(signer, pkh, payload).catch(() => ({ signature: undefined }));
    if (signature !== undefined && !verifySignature(payload, key, signature)) {
      throw new Error(`the signature of ${payload} is not the key's`);
    }
    return signature;
  };
}

const subject: Subject = {
  sign: ask(url, address),
  second: second === undefined ? undefined : ask(second, address),
  async restart() {
    execFileSync("sh", ["-c", command], { stdio: "ignore" });
    for (let tries = 0; tries < 300; tries++) {
      const answers = await publicKey(url, address).then(
        () => true,
        () => false,
      );
      if (answers) return;
      await sleep(100);
    }
    throw new Error("the signer does not come back");
  },
};

let decisions = 0;
const failures: string[] = [];
let skipped = 0;
for (const { file, content } of suiteFiles()) {
  if (second === undefined && needsSecond(content)) {
    console.log(`${file} is left out: it needs a second signer`);
    skipped += 1;
    continue;
  }
  const result = await runFile(content, subject);
  decisions += result.decisions;
  failures.push(...result.failures);
}
for (const failure of failures) console.log(failure);
console.log(`${suiteFiles().length - skipped} files, ${decisions} decisions, ${failures.length} wrong`);
process.exitCode = failures.length === 0 ? 0 : 1;
