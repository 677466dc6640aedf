import type { CryptographyClient } from "@azure/keyvault-keys";
import { Command, Option } from "commander";
import { EncodingError } from "../../tezos/base58.ts";
import { blake2b256 } from "../../tezos/digest.ts";
import type { PublicKey } from "../../tezos/public-key.ts";
import { decodeSignature, encodeSignature, normalise, verifySignature } from "../../tezos/signature.ts";
import { Failure } from "../failure.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal, table } from "../terminal.ts";
import { openKeyFile } from "./key-input.ts";
import { nameOption, vaultOption } from "./options.ts";
import { type Connect, getKey, perform, publicKeyOf } from "./vault.ts";

/** Its first byte, "t", is no magic byte of Tezos, so a signature of it is good for nothing else. */
export const DRILL_TEXT = "tezos-signer drill: this text is no Tezos request";

const DIGEST = blake2b256(Buffer.from(DRILL_TEXT));

/** `keys drill sign` and `keys drill verify` */
export function drillCommand(io: Io, connect: Connect): Command {
  const sign = new Command("sign")
    .summary("sign the drill's text with the offline key")
    .description(
      "On the offline computer: opens the key file with the paper's passphrase and signs a fixed text that is no Tezos request. Take the printed signature to the signer's machine.",
    )
    .argument("<file>", "the key file")
    .action(async (file: string) => {
      using terminal = new Terminal(io);
      using key = await openKeyFile(terminal, file);
      const { curve, address } = key.publicKey;
      const signature = encodeSignature(curve, normalise(curve, key.sign(DIGEST)));
      terminal.say(`Signed for ${address}:`);
      terminal.print(signature);
    });
  withExamples(sign, "tezos-signer keys drill sign tz3….pem");
  const verify = new Command("verify")
    .summary("compare the vault's key with the offline key")
    .description(
      "On the signer's machine: has the vault sign the same text, and checks both signatures under the vault's public key. If both are good, the backup is the key.",
    )
    .addOption(vaultOption())
    .addOption(nameOption())
    .addOption(new Option("--signature <signature>", "what `keys drill sign` printed").makeOptionMandatory())
    .action(async (options: { vault: string; name: string; signature: string }) => {
      using terminal = new Terminal(io);
      await verifyBoth(terminal, connect, options);
    });
  withExamples(
    verify,
    "tezos-signer keys drill verify --vault https://NAME.vault.azure.net \\\n    --name baker --signature p2sig…",
  );
  const command = new Command("drill")
    .summary("prove that the backup is the key in the vault")
    .description("Proves that the offline backup and the vault hold the same key, without bringing them together.")
    .addCommand(sign)
    .addCommand(verify);
  return withExamples(command, "tezos-signer keys drill sign tz3….pem");
}

async function verifyBoth(
  terminal: Terminal,
  connect: Connect,
  options: { readonly vault: string; readonly name: string; readonly signature: string },
): Promise<void> {
  const offline = parseSignature(options.signature);
  const client = await connect(options.vault);
  const key = await getKey(client, options.name);
  const publicKey = publicKeyOf(key);
  const cryptography = client.getCryptographyClient(options.name, { keyVersion: key.properties.version ?? "" });
  const vault = await perform({ vault: options.vault, permission: "sign", name: options.name }, () =>
    signInVault(cryptography, publicKey),
  );
  if (!verifySignature(publicKey, DIGEST, vault)) {
    throw new Failure(
      "mismatch",
      "The vault's own signature does not verify under its public key. Do not use this key.",
    );
  }
  if (!verifySignature(publicKey, DIGEST, normalise(publicKey.curve, offline))) {
    throw new Failure(
      "mismatch",
      `The offline key is not the key in the vault (${publicKey.address}), or the signature was copied wrong. If it was copied right, you have no backup of this key.`,
    );
  }
  terminal.say("Both signatures verify under one public key: the backup is the key in the vault.");
  terminal.print(
    table([
      ["Address", publicKey.address],
      ["Vault", key.id ?? ""],
    ]),
  );
}

async function signInVault(client: CryptographyClient, { curve }: PublicKey): Promise<Uint8Array> {
  const algorithm = curve === "P-256" ? "ES256" : "ES256K";
  const { result } = await client.sign(algorithm, DIGEST);
  return normalise(curve, result);
}

function parseSignature(text: string): Uint8Array {
  try {
    return decodeSignature(text).bytes;
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new Failure("unusable", `The signature is not what \`keys drill sign\` printed: ${error.message}.`);
  }
}
