import { Command } from "commander";
import { pino } from "pino";
import { SignerError } from "../../errors.ts";
import type { SigningKey } from "../../keys/keyring.ts";
import { EncodingError } from "../../tezos/crypto/base58.ts";
import { decodeSignature, normalise, verifySignature } from "../../tezos/crypto/signature.ts";
import { DRILL_DIGEST } from "../ceremony/drill-digest.ts";
import { nameOption, vaultOption } from "../ceremony/options.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";
import { table } from "../text.ts";

interface DrillOptions {
  readonly vault: string;
  readonly name: string;
  readonly signature: string;
}

/** How long the vault may take to sign, in milliseconds: nobody's block waits for it. */
const DEADLINE = 10_000;

/** Defines `keys drill verify`: the half of the drill that runs on the signer's machine. */
export function drillVerifyCommand(io: Io): Command {
  const command = new Command("verify")
    .summary("compare the vault's key with the offline key")
    .description(
      "On the signer's machine: has the vault sign the drill's text, and checks this and the offline signature under the vault's public key.",
    )
    .addOption(vaultOption())
    .addOption(nameOption())
    .requiredOption("--signature <signature>", "what `keys drill sign` printed")
    .action(async (options: DrillOptions) => {
      using terminal = new Terminal(io);
      await verifyBoth(terminal, options);
    });
  return withExamples(
    command,
    "tezos-signer keys drill verify --vault https://NAME.vault.azure.net \\\n    --name baker --signature p2sig…",
  );
}

async function verifyBoth(terminal: Terminal, { vault, name, signature }: DrillOptions): Promise<void> {
  const offline = parseSignature(signature);
  const { openAzureKeyVaultKeyring } = await import("../../keys/azure-key-vault/keyring.ts");
  const keyring = await openAzureKeyVaultKeyring({
    vault,
    include: () => [name],
    credential: "managed-identity",
    logger: pino({ level: "silent" }),
  });
  try {
    const [key] = keyring.keys.values();
    if (key === undefined) throw new Failure("unavailable", `There is no key to compare with. ${keyring.problem?.()}`);
    await compare(key, offline);
    terminal.say("Both signatures verify under one public key: the backup is the key in the vault.");
    terminal.print(
      table([
        ["Address", key.publicKey.address],
        ["Vault", key.location],
      ]),
    );
  } finally {
    await keyring.close();
  }
}

/** @throws Failure unless both signatures are by the vault's key */
async function compare(key: SigningKey, offline: Uint8Array): Promise<void> {
  const { publicKey } = key;
  const isByVault = (signature: Uint8Array) =>
    verifySignature(publicKey, DRILL_DIGEST, normalise(publicKey.curve, signature));
  const online = await key.sign(DRILL_DIGEST, AbortSignal.timeout(DEADLINE)).catch((error) => {
    if (!(error instanceof SignerError)) throw error;
    const advice = "Only the signer's machine may sign with the vault: run this there.";
    throw new Failure("unavailable", `${error.message} ${advice}`, { cause: error });
  });
  if (!isByVault(online)) {
    throw new Failure(
      "mismatch",
      "The vault's signature does not verify under its own public key. Do not use this key.",
    );
  }
  if (!isByVault(offline)) {
    throw new Failure(
      "mismatch",
      `The offline key is not the key in the vault (${publicKey.address}), or the signature was copied wrong. If it was copied right, you have no backup of this key.`,
    );
  }
}

function parseSignature(text: string): Uint8Array {
  try {
    return decodeSignature(text).bytes;
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new Failure("unusable", `The signature is not what \`keys drill sign\` printed: ${error.message}.`);
  }
}
