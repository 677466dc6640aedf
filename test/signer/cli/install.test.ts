import { expect } from "chai";
import { EXIT_CODES } from "../../../signer/cli/exit-codes.ts";
import { installCommand } from "../../../signer/cli/install.ts";
import { atTerminal } from "../../harness/fake-terminal.ts";

describe("tezos-signer install", () => {
  // Each would only look, were it not refused: a test changes nothing of this computer. test/boot/onprem.ts does all of it.
  const refused: readonly (readonly [words: readonly string[], reason: string])[] = [
    [["--all", "--dry-run"], "--all goes with --remove."],
    [["--all", "--check"], "--all goes with --remove."],
    [["--check", "--dry-run"], "cannot be used with"],
  ];
  for (const [words, reason] of refused) {
    it(`starts nothing with ${words.join(" ")}, and says why`, async () => {
      const { stdout, stderr, code } = await atTerminal(installCommand, words);
      expect(stderr).to.include(reason);
      expect([stdout, code]).to.deep.equal(["", EXIT_CODES.usage.code]);
    });
  }
});
