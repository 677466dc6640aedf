import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One request and what must come of it. */
export interface Decision {
  /** Payload with its magic byte, hex. */
  readonly sign: string;
  /** `signed`: a signature; `refused`: none; a number: the signature of that step, byte for byte. */
  readonly expect: "signed" | "refused" | number;
  readonly why: string;
  /** Asked of the second signer of the same key. */
  readonly at?: "second";
}

/** Requests at once: any one of them may be first. */
export interface Parallel {
  readonly parallel: readonly string[];
  /** `at-most-one`: no two are signed; `one-signature`: all that are signed have the same signature. */
  readonly expect: "at-most-one" | "one-signature";
  readonly why: string;
}

/** The signer is ended without warning and started again. */
export interface Restart {
  readonly restart: true;
}

export type Step = Decision | Parallel | Restart;

export interface SuiteFile {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A signer under test, with one key. */
export interface Subject {
  /** @returns the signature, or undefined where it was refused */
  sign(payload: string): Promise<string | undefined>;
  /** The same of a second signer of the key, where there is one. */
  readonly second?: ((payload: string) => Promise<string | undefined>) | undefined;
  restart(): Promise<void>;
}

export interface SuiteResult {
  readonly decisions: number;
  /** What was not as it must be, in words. */
  readonly failures: readonly string[];
}

/** Every file of the suite, in the order in which they must be run: each begins above the one before. */
export function suiteFiles(): { readonly file: string; readonly content: SuiteFile }[] {
  const names = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".json"));
  return names.sort().map((file) => ({
    file,
    content: JSON.parse(readFileSync(join(import.meta.dirname, file), "utf8")) as SuiteFile,
  }));
}

/** Whether a file asks a second signer. */
export function needsSecond({ steps }: SuiteFile): boolean {
  return steps.some((step) => "at" in step);
}

/** Runs one file. @throws Error where it asks a second signer and there is none */
export async function runFile({ name, steps }: SuiteFile, subject: Subject): Promise<SuiteResult> {
  const { second } = subject;
  const failures: string[] = [];
  const signatures: (string | undefined)[] = [];
  let decisions = 0;
  for (const [index, step] of steps.entries()) {
    const fail = (what: string, why: string) => failures.push(`${name}, step ${index}: ${what} (${why})`);
    if ("restart" in step) await subject.restart();
    else if ("parallel" in step) {
      const answers = await Promise.all(step.parallel.map((payload) => subject.sign(payload)));
      decisions += answers.length;
      const signed = answers.filter((answer) => answer !== undefined);
      const kinds = step.expect === "at-most-one" ? signed.length : new Set(signed).size;
      if (kinds > 1) fail(`${kinds} ${step.expect === "at-most-one" ? "were signed" : "signatures"}`, step.why);
    } else {
      if (step.at === "second" && second === undefined) throw new Error(`${name} needs a second signer`);
      const answer = await (step.at === "second" && second !== undefined ? second(step.sign) : subject.sign(step.sign));
      decisions += 1;
      signatures[index] = answer;
      if (step.expect === "refused" && answer !== undefined) fail("signed", step.why);
      if (step.expect !== "refused" && answer === undefined) fail("refused", step.why);
      if (typeof step.expect === "number" && answer !== signatures[step.expect]) fail("another signature", step.why);
    }
  }
  return { decisions, failures };
}
