import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  getVirtualMachineRunCommandByVirtualMachine as show,
  type VirtualMachine,
  VirtualMachineRunCommandByVirtualMachine,
} from "@pulumi/azure-native/compute/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Place } from "../config/pair.ts";
import { type Outcome, outcomeOf, type Report } from "../readiness/report.ts";
import {
  isProof,
  type Names,
  type Parameters,
  type Proof,
  type StandingWait,
  standingWait,
} from "../readiness/standing-wait.ts";
import { Refusal } from "../refusal.ts";
import { inGroup, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";
import { machineName } from "./machine.ts";

export interface ReadinessArgs {
  readonly context: StackContext;
  /** Which of the signer's machines it is. */
  readonly place: Place;
  readonly machine: VirtualMachine;
  /** Whether the balancer has to find it ready as well. */
  readonly balanced: boolean;
  /** How many machines the signer has, and how many of them wait for this one. */
  readonly machines: number;
  readonly waiting: Promise<number>;
  /** SHA-256 of the release that the machine is told to run. */
  readonly release: string;
  /** The version of the settings that it is told. */
  readonly settings: pulumi.Input<string>;
  /** Which keys there should be, as text: where it changes, the machine is asked once more which there are. */
  readonly keys: string;
  /** What the signer needs: waiting is in vain before it is there. */
  readonly after: readonly pulumi.Resource[];
}

/** Returns the names in the program of what waits for a machine. @param named gives the name of a part */
export function readinessNames(named: (part: string) => string, { suffix }: Pick<Place, "suffix">): Names {
  const of = (part: string) => named(`${part}${suffix}`);
  return { command: of(NAME), component: of("readiness"), machine: of("machine") };
}

/** What a machine was asked. */
interface Answer {
  /** Of now, or of before where it does not hold any more. */
  readonly proof?: Proof;
  /** Why the signer is not ready. */
  readonly words?: string;
}

/** The script ends by itself after 18 minutes; the others are for a machine that does not end it, and an agent that does not answer. */
const SCRIPT_SECONDS = 19 * 60;
const PATIENCE = "20m";

/** Azure's record of how a script ended may be behind its end. */
const LOOKS = 36;
const PAUSE = 5_000;

/** The run command's name in Azure, and how many there may be of it. */
const NAME = "await-ready";
const MOST = 20;

/**
 * Waits until the machine's signer is ready: a run command that Azure's agent runs on it, without a port for it.
 *
 * Azure calls the PUT a success however the script ends, and keeps its words in the instance view. So the words are read
 * here, after the PUT and in an `up` alone, by the provider's own function: with the login that made the command, whichever
 * that is. Azure would also fail the PUT itself (treatFailureAsDeploymentFailure), but nothing documents that its error has
 * the words.
 */
export class Readiness extends pulumi.ComponentResource {
  /** What the machine says once it is ready; rejects with its words where it does not get so far. */
  readonly report: pulumi.Output<Report>;

  constructor(name: string, args: ReadinessArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Readiness", name, {}, options);
    const { context, machine, place } = args;
    const names = readinessNames(context.named, place);
    const standing = standingWait(context.id, names);
    standing.catch(() => undefined); // whoever waits for it says it
    const parameters = pulumi.all([args.settings, standing]).apply(
      ([settings, wait]): Parameters => ({
        RELEASE: args.release,
        SETTINGS: settings,
        KEYS: args.keys || "none", // Azure leaves out a parameter that is empty
        AGAIN: wait?.again ?? "0",
        ...(args.balanced ? { BALANCED: "yes" } : {}),
      }),
    );
    const command = new VirtualMachineRunCommandByVirtualMachine(
      names.command,
      {
        resourceGroupName: context.group.name,
        vmName: machine.name,
        runCommandName: pulumi.output(standing).apply((wait) => this.#nameOf(wait, args)),
        location: context.location,
        source: { script: readFileSync(resolve(import.meta.dirname, "../../machine/bin/await-ready"), "utf8") },
        parameters: parameters.apply((all) => Object.entries(all).map(([name, value]) => ({ name, value }))),
        asyncExecution: false,
        treatFailureAsDeploymentFailure: false,
        timeoutInSeconds: SCRIPT_SECONDS,
        tags: context.tags,
      },
      {
        ...inGroup(this, context),
        deletedWith: machine,
        replaceWith: [machine], // Azure deletes it with its machine
        deleteBeforeReplace: true, // the new one takes over its name
        dependsOn: [...args.after],
        customTimeouts: { create: PATIENCE, update: PATIENCE },
        hooks: { onError: [new pulumi.ErrorHook(context.named(`${NAME}-failed${place.suffix}`), sayWhatToDo(args))] },
      },
    );
    const answer = pulumi
      .all([command.name, machine.vmId, parameters, standing])
      .apply(async ([runCommandName, vmId, parameters, wait]): Promise<Answer> => {
        const before = wait?.proof;
        if (before !== undefined && isProof(before, parameters, vmId)) return { proof: before };
        // A preview knows no answer to what it has not asked.
        if (pulumi.runtime.isDryRun()) return pulumi.unknown as unknown as Answer;
        const outcome = await this.#read(runCommandName, args);
        if (outcome.kind === "failed")
          return { words: outcome.words, ...(before === undefined ? {} : { proof: before }) };
        return { proof: { parameters, machine: vmId, report: outcome.report } };
      });
    this.report = answer.apply(async ({ words, proof }) => {
      if (words === undefined && proof !== undefined) return proof.report;
      throw new Refusal(failure(words ?? "", args, await args.waiting));
    });
    // What was proved before is kept where this time it is not: it rejects nowhere else, so it is said once.
    this.registerOutputs({ proof: answer.apply(({ proof }) => proof) });
  }

  /**
   * A new run command has a name that is free: one that Azure has made after Pulumi had lost patience is in no state, and
   * would stand in the way of its namesake for ever.
   */
  async #nameOf(wait: StandingWait | undefined, args: ReadinessArgs): Promise<string> {
    if (wait === undefined) return NAME;
    if (wait.name !== undefined) return wait.name;
    for (let count = 1; count < MOST; count += 1) {
      const name = count === 1 ? NAME : `${NAME}-${count}`;
      try {
        await this.#show(name, args);
      } catch (error) {
        if (/NotFound|\b404\b/.test(String(error))) return name;
        throw error;
      }
    }
    throw new Refusal(
      `the machine has ${MOST} run commands of the name ${NAME}, none of which Pulumi knows: replace it, it holds nothing`,
    );
  }

  /** Reads how the script ended; where Azure does not tell it, that is a failure as well. */
  async #read(runCommandName: string, args: ReadinessArgs): Promise<Exclude<Outcome, { kind: "under-way" }>> {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      if (looks > 0) await sleep(PAUSE);
      const outcome = await this.#show(runCommandName, args).then(
        ({ instanceView }) => outcomeOf(instanceView),
        (error: Error) => ({ kind: "failed", words: `Azure does not tell what it says: ${error.message}` }) as const,
      );
      if (outcome.kind !== "under-way") return outcome;
    }
    return { kind: "failed", words: "Azure does not tell how the script ended that asked it" };
  }

  async #show(runCommandName: string, { context, place }: ReadinessArgs) {
    const { name } = await pulumi.runtime.serializeProperties("group", { name: context.group.name });
    const where = { resourceGroupName: String(name), vmName: machineName(place), runCommandName };
    return show({ ...where, expand: "instanceView" }, { parent: this });
  }
}

function failure(words: string, { place, machines }: ReadinessArgs, waiting: number): string {
  const which = machines === 1 ? "" : ` on ${machineName(place)}`;
  const what =
    waiting === 0
      ? `everything is made, and the signer${which} is not ready`
      : `the signer${which} is not ready, and the other machine was left as it is`;
  return `${what}: ${words}. Once that is mended, npm run up asks it again (docs/change.md, "An up that waits in vain")`;
}

/** Where Azure does not run the script, says what may be the reason; tries nothing again. */
function sayWhatToDo({ context, place }: ReadinessArgs): pulumi.ErrorHookFunction {
  return async ({ errors }) => {
    const { name } = await pulumi.runtime.serializeProperties("group", { name: context.group.name });
    const there = `--resource-group ${name} --name ${machineName(place)}`;
    const text = errors.join(" ");
    if (/in progress/i.test(text)) {
      await pulumi.log.error("another command is at work on the machine: npm run up again, once it has ended");
    } else if (/deadline exceeded|timed? ?out/i.test(text)) {
      await pulumi.log.error(
        `Azure's agent on the machine has not answered for 20 minutes, so nothing is known of the signer. Its boot log: ` +
          `az vm boot-diagnostics get-boot-log ${there}. Often a restart helps: az vm restart ${there}, then npm run up`,
      );
    }
    return false;
  };
}

/** What the plan shows of the wait. */
export const READINESS_KINDS: Kinds = {
  "azure-native:compute:VirtualMachineRunCommandByVirtualMachine": {
    word: "wait for the signer",
    name: "runCommandName",
    shown: ["timeoutInSeconds| seconds at most"],
  },
};
