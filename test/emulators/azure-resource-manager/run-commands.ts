import { conflict } from "./arm.ts";
import { list, type Properties, text } from "./properties.ts";

/** What Azure's agent is to run on a machine. */
export interface Execution {
  readonly script: string;
  /** Parameters that have names. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How it went. */
export interface Ended {
  readonly exitCode: number;
  readonly output: string;
  readonly error: string;
  /** By the machine's clock. */
  readonly seconds: number;
}

/** Runs a script on the machine. @returns undefined where the agent never answers */
export type Agent = (execution: Execution) => Ended | undefined;

/** Of each stream, Azure keeps the end (run-command-managed: "limited to last 4KB"). */
const KEPT = 4_096;

/** A run command without a time of its own has this one, in seconds (Virtual Machine Run Commands - Create Or Update). */
const TIMEOUT = 90 * 60;

/** A machine on which all is as the script would have it, and which says so as this project's own does. */
const WELL: Agent = ({ environment: { RELEASE: release } }) => {
  const publicKey = "p2pk66yhjnN8xQ2CFk8xq2Q5NJsFqYyBzYwRr9hkHgqSPzF8u5TJWmG";
  const keys = [{ address: "tz3fYtKV7WUDpZHjphnM2ARKEJrE3RkzCVRT", publicKey }];
  return { exitCode: 0, output: `${JSON.stringify({ version: "0.2.0", release, keys })}\n`, error: "", seconds: 30 };
};

/**
 * Managed run commands: each is a resource below its machine, whose PUT is over once the script is, and whose instance view
 * says how that ended. Time is the machine's own, so nothing is waited for here.
 */
export class RunCommands {
  agent: Agent = WELL;
  /** How many are refused from now on, since another command is at work. */
  busy = 0;
  /** Whoever asks may make them and not read them. */
  hidden = false;
  /** How often an instance view says that the script still runs, before it says how it ended. */
  lag = 0;
  /** Scripts that the agent was given. */
  readonly executions: Execution[] = [];
  /** By id, in lower case: what the agent was last told, and what it told. */
  readonly #views = new Map<string, { readonly told: string; readonly view: Properties }>();

  /** @throws ArmError where another one is at work */
  allow(): void {
    if (this.busy === 0) return;
    this.busy -= 1;
    const message =
      "Run command extension execution is in progress. Please wait for completion before invoking a run command.";
    throw conflict("Conflict", message);
  }

  /**
   * Runs what a resource says, once: the same again is nothing new to the agent, which goes by the number of its settings.
   * @param patience of the client, in seconds
   * @throws Error where the client's patience ends first; Azure goes on with it, and has the resource
   */
  run({ id, inputs }: { readonly id: string; readonly inputs: Properties }, patience: number): void {
    const told = JSON.stringify([inputs.source, inputs.parameters]);
    const before = this.#views.get(id.toLowerCase());
    if (before?.told === told) return;
    const named = list(inputs, "parameters").filter((one) => text(one, "name") !== "" && text(one, "value") !== "");
    const environment = Object.fromEntries(named.map((one) => [text(one, "name"), text(one, "value")]));
    const execution = { script: text(inputs, "source.script"), environment };
    const ended = this.agent(execution);
    if (ended === undefined || ended.seconds > patience) {
      // The provider reads what it has made with the same deadline, which is over (crud.go, HandleErrorWithCheckpoint).
      throw new Error("resource updated but read failed context deadline exceeded: context deadline exceeded");
    }
    this.executions.push(execution);
    const limit = typeof inputs.timeoutInSeconds === "number" ? inputs.timeoutInSeconds : TIMEOUT;
    this.#views.set(id.toLowerCase(), { told, view: viewOf(ended, limit) });
  }

  /** A new resource has nothing of an earlier one of its name. */
  forget(id: string): void {
    this.#views.delete(id.toLowerCase());
  }

  /** The instance view of a resource; nothing is known of one whose agent never answered. */
  view(id: string): Properties {
    if (this.lag > 0) {
      this.lag -= 1;
      return { executionState: "Running", exitCode: 0, output: "", error: "" };
    }
    return this.#views.get(id.toLowerCase())?.view ?? { executionState: "Unknown", output: "", error: "" };
  }
}

/** States and messages as the handler on the machine reports them (Azure/run-command-handler-linux, instanceview.go). */
function viewOf({ exitCode, output, error, seconds }: Ended, limit: number): Properties {
  if (seconds > limit) {
    const executionMessage = "Execution failed: command terminated with exit status=-1";
    return { executionState: "TimedOut", executionMessage, exitCode: -1, output: "", error: "" };
  }
  const streams = { output: end(output), error: end(error), exitCode };
  if (exitCode === 0) return { executionState: "Succeeded", executionMessage: "Execution completed", ...streams };
  const executionMessage = `Execution failed: command terminated with exit status=${exitCode}`;
  return { executionState: "Failed", executionMessage, ...streams };
}

function end(text: string): string {
  return Buffer.from(text).subarray(-KEPT).toString();
}
