/**
 * Has steps done on the machine, by Azure's run command: without a port for it.
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { z } from "zod";
import { change } from "../arm/change.ts";
import { ArmRefusal, type Asker } from "../arm/client.ts";
import { type Answers, readAnswers, type Step } from "./step.ts";

/** Virtual Machines - Run Command (Microsoft.Compute, 2024-11-01). */
const VERSION = "2024-11-01";

/** https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service: the same on every machine. */
const IMDS = "http://169.254.169.254";

/** Azure's agent has 90 minutes for a command; nothing here takes that long. */
const TIMEOUT_MS = 15 * 60_000;

/** A machine whose identity is asked for tokens. */
export interface Machine {
  /** Its path below Azure's endpoint. */
  readonly path: string;
  /** Client id of its identity. */
  readonly clientId: string;
  readonly asker: Asker;
}

const Told = z.object({ value: z.array(z.object({ message: z.string() })).min(1) });

/**
 * Does steps on a machine.
 * @throws ArmRefusal, NoAnswer; Error where the machine tells something else
 */
export async function onMachine({ path, clientId, asker }: Machine, steps: readonly Step[]): Promise<Answers> {
  const body = { commandId: "RunShellScript", script: scriptOf({ imds: IMDS, client: clientId, pause: 1, steps }) };
  const answer = await run("POST", `${path}/runCommand?api-version=${VERSION}`, body, {
    ...asker,
    timeoutMs: TIMEOUT_MS,
  });
  const message = Told.safeParse(answer).data?.value[0]?.message ?? "";
  const packed = /<<([A-Za-z0-9+/=]+)>>/.exec(message)?.[1];
  if (packed === undefined) throw new Error(`the machine does not tell what came of it: ${lastOf(message)}`);
  try {
    return readAnswers(JSON.parse(inflateSync(Buffer.from(packed, "base64")).toString()));
  } catch {
    throw new Error("the machine tells something that is not understood");
  }
}

async function run(...request: Parameters<typeof change>): Promise<unknown> {
  try {
    return await change(...request);
  } catch (error) {
    if (!(error instanceof ArmRefusal) || error.status !== 409) throw error;
    throw new Error("another command is at work on the machine: try again in a minute");
  }
}

/** The lines of the script. What is asked is data in it, and never a part of a command. */
function scriptOf(asked: object): string[] {
  const program = readFileSync(join(import.meta.dirname, "on-machine.py"), "utf8");
  return [
    "ASKED=$(cat <<'END_OF_ASKED'",
    JSON.stringify(asked),
    "END_OF_ASKED",
    ")",
    "export ASKED",
    "exec python3 -I - <<'END_OF_PROGRAM'",
    ...program.trimEnd().split("\n"),
    "END_OF_PROGRAM",
  ];
}

function lastOf(message: string): string {
  const lines = message.split("\n").filter((line) => line.trim() !== "" && !/^\[std(?:out|err)\]$/.test(line));
  return lines.at(-1)?.slice(0, 200) ?? "it says nothing";
}
