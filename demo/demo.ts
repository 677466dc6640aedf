import { RemoteSigner } from "@taquito/remote-signer";
import { verifySignature } from "@taquito/utils";
import { commandLine } from "../test/emulators/command-line.ts";
import { publicKey, sign } from "../test/emulators/octez-client.ts";
import { attestation, block, transfer } from "../test/fixtures/payloads.ts";
import { localRig, type Rig, vaultRig } from "./rig.ts";

/** One row of the demo's table. */
interface Step {
  readonly what: string;
  readonly client: string;
  /** What the client got. */
  readonly answer: string;
  readonly milliseconds: number;
  readonly asExpected: boolean;
}

const { vault } = commandLine(
  "demo",
  "Shows a transfer signed and verified by Taquito, an attestation, the same one again, and what is refused and why.",
)
  .option("--vault", "with keys in an emulated Key Vault, which then goes away and comes back")
  .parse()
  .opts<{ vault?: true }>();
const steps: Step[] = [];

async function step(what: string, client: string, expected: RegExp, work: () => Promise<string>): Promise<void> {
  const started = performance.now();
  const answer = await work().catch((error: Error) => `${error.name}: ${error.message}`);
  const milliseconds = performance.now() - started;
  const asExpected = expected.test(answer);
  steps.push({ what, client, answer, milliseconds, asExpected });
}

/** Asks as octez-baker does, and checks a signature by Taquito's own arithmetic. */
function asOctez({ url }: Rig, address: string, payload: Buffer, retries = 0) {
  return async () => {
    const hex = payload.toString("hex");
    const { status, signature, message, attempts } = await sign(url, address, hex, { retries });
    if (signature === undefined) return `${status}: ${message}`;
    const valid = verifySignature(hex, await publicKey(url, address), signature);
    return `200${attempts > 1 ? ` after ${attempts} tries` : ""}: ${signature.slice(0, 14)}… ${valid ? "verified" : "WRONG"}`;
  };
}

function asTaquito({ url }: Rig, address: string, payload: Buffer) {
  return async () => {
    // Taquito puts the magic byte before the operation itself, and verifies what it gets.
    const operation = payload.subarray(1).toString("hex");
    const { prefixSig } = await new RemoteSigner(address, url).sign(operation, Uint8Array.of(3));
    return `200: ${prefixSig.slice(0, 14)}… verified`;
  };
}

async function show(rig: Rig): Promise<void> {
  const { baker, manager } = rig;
  const level = 5_000_000;
  const first = attestation({ level });
  const operation = transfer({ source: manager });
  await step("a transfer, which this key's policy allows", "Taquito", /verified/, asTaquito(rig, manager, operation));
  await step("an attestation", "octez-shaped", /verified/, asOctez(rig, baker, first));
  await step("the same attestation again", "octez-shaped", /verified/, asOctez(rig, baker, first));
  const conflicting = attestation({ level, payloadHash: new Uint8Array(32).fill(9) });
  await step("another one at the same level", "octez-shaped", /^409/, asOctez(rig, baker, conflicting));
  const withDal = attestation({ level, dal: 1n });
  await step("the same one with DAL slots", "octez-shaped", /^409/, asOctez(rig, baker, withDal));
  const header = block({ level });
  await step("a block", "octez-shaped", /verified/, asOctez(rig, baker, header));
  await step(
    "another block at that level",
    "octez-shaped",
    /^409/,
    asOctez(rig, baker, block({ level, timestamp: 7n })),
  );
  const refused = transfer({ source: baker });
  await step(
    "a transfer, which this key's policy refuses",
    "Taquito",
    /^OperationNotAuthorized/,
    asTaquito(rig, baker, refused),
  );
  await step("a truncated block", "octez-shaped", /^400/, asOctez(rig, baker, header.subarray(0, -1)));
  if (rig.breakVault === undefined) return;
  const next = attestation({ level: level + 1 });
  const mend = rig.breakVault();
  await step("an attestation while the vault is away", "octez-shaped", /^502/, asOctez(rig, baker, next));
  setTimeout(mend, 1_000);
  await step("the same, while the vault comes back", "octez-shaped", /verified/, asOctez(rig, baker, next, 9));
}

function print(): void {
  const mark = (asExpected: boolean) => (asExpected ? "ok" : "NOT AS EXPECTED");
  for (const { what, client, answer, milliseconds, asExpected } of steps) {
    console.log(
      `${mark(asExpected)}  ${what.padEnd(44)} ${client.padEnd(13)} ${milliseconds.toFixed(1).padStart(8)} ms`,
    );
    for (const line of answer.match(/.{1,90}(?:\s|$)/g) ?? []) console.log(`      ${line.trimEnd()}`);
  }
  console.log("\nTimes are the client's: two requests, each on a connection of its own.");
}

const rig = await (vault ? vaultRig() : localRig());
try {
  console.log(`${rig.title}\n  baker    ${rig.baker}\n  manager  ${rig.manager}\n`);
  await show(rig);
} finally {
  await rig.close();
}
print();
if (steps.some(({ asExpected }) => !asExpected)) process.exitCode = 1;
