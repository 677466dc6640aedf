import * as pulumi from "@pulumi/pulumi";
import { ConfigurationError, parseConfig } from "./parse.ts";
import type { KEYS, StackConfig } from "./schema.ts";

/** The keys of the stack's configuration, lists and objects as such. docs/change.md says what each does. */
export type SignerConfiguration = {
  readonly [Key in keyof typeof KEYS]?:
    | string
    | number
    | boolean
    | readonly unknown[]
    | Readonly<Record<string, unknown>>;
};

/**
 * Reads the configuration of a signer.
 * @param name of the signer: it is put on every tag, and names the resource group unless there is one
 * @throws pulumi.RunError naming every mistake
 */
export function signerConfiguration(name: string, configuration: SignerConfiguration): StackConfig {
  const later = Object.entries(configuration).filter(([, value]) => isKnownLater(value));
  if (later.length > 0) {
    const keys = later.map(([key]) => key).join(", ");
    throw new pulumi.RunError(
      `${keys}: an output or a promise is known too late, since the configuration is judged before anything is made: give the value itself`,
    );
  }
  const texts = Object.entries(configuration).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  try {
    return parseConfig(Object.fromEntries(texts), name);
  } catch (error) {
    // Pulumi prints the message of a RunError, and the stack trace of any other.
    if (error instanceof ConfigurationError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

/** Whether a value has to be waited for, or a part of it. As JSON it would be a text of Pulumi's, or nothing. */
function isKnownLater(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(isKnownLater);
}
