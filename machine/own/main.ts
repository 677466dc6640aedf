/**
 * `tezos-signer install`, as root: signer/cli/install.ts starts it with one word, what is to be done.
 * @module
 */
import { resolve } from "node:path";
import { EXIT_CODES, type ExitReason } from "../../signer/cli/exit-codes.ts";
import { messageOf } from "../../signer/errors.ts";
import { check } from "./check.ts";
import { type Ending, install } from "./install.ts";
import { ownParts } from "./parts.ts";
import { remove } from "./remove.ts";

/** The exit code of each ending, and the last sentence of those that leave something to do. */
const ENDINGS = {
  done: ["done", undefined],
  unfinished: ["unusable", "Not done yet: mend what is said above, then run this again."],
  refused: ["failed", "Not upgraded: the release before it signs on."],
  waiting: ["unavailable", "Not upgraded yet: what is said above may pass. Run this again."],
} as const satisfies Record<Ending, readonly [ExitReason, string | undefined]>;

const say = (text: string) => console.log(text);

async function main(word: string | undefined): Promise<ExitReason> {
  if (process.getuid?.() !== 0) throw new Error("This needs root: run it with sudo.");
  // Root's may be 077, and the service's user must come to the release and read what the upgrades tell.
  process.umask(0o022);
  const parts = ownParts();
  switch (word) {
    case "check": {
      const findings = await check(parts);
      for (const { what, remedy } of findings)
        say(remedy === undefined ? `ok       ${what}` : `missing  ${what}: ${remedy}`);
      if (findings.some(({ remedy }) => remedy !== undefined)) throw new Error("Something is missing, as said above.");
      return "done";
    }
    case "remove":
    case "remove-all":
      remove(parts, word === "remove-all", say);
      return "done";
    default: {
      const source = resolve(import.meta.dirname, "../..");
      const watch = 1_000 * Number(process.env.WATCH_SECONDS ?? 60);
      const [reason, words] = ENDINGS[await install(parts, { source, isDryRun: word === "dry-run", say, watch })];
      if (words !== undefined) console.error(words);
      return reason;
    }
  }
}

process.exitCode =
  EXIT_CODES[
    await main(process.argv[2]).catch((error: unknown) => {
      console.error(messageOf(error));
      return "failed" as const;
    })
  ].code;
