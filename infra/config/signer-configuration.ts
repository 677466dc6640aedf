import * as pulumi from "@pulumi/pulumi";
import { ConfigurationError, parseConfig } from "./parse.ts";
import type { KEYS, StackConfig } from "./schema.ts";

/** The keys of the stack's configuration, lists and objects as such. docs/change.md says what each does. */
export type SignerConfiguration = {
  readonly [Key in keyof typeof KEYS]?: string | boolean | readonly unknown[] | Readonly<Record<string, unknown>>;
};

/**
 * Reads the configuration of a signer.
 * @param name of the signer: it is put on every tag, and names the resource group unless there is one
 * @throws pulumi.RunError naming every mistake
 */
export function signerConfiguration(name: string, configuration: SignerConfiguration): StackConfig {
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
