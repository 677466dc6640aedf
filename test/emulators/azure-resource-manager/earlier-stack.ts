import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Deployment } from "@pulumi/pulumi/automation/index.js";
import type { Cloud } from "./cloud.ts";
import type { Engine, TestStack } from "./engine.ts";
import type { Resource } from "./subscription.ts";

const FOLDER = resolve(import.meta.dirname, "../../fixtures");

/** A stack as another version left it: Pulumi's export, without times and places in the source, and its configuration. */
interface EarlierStack {
  readonly stack: string;
  readonly config: Readonly<Record<string, string>>;
  readonly deployment: Deployment;
}

/**
 * Puts a stack that an earlier program made under the engine, and what it made into the cloud.
 * The fixtures were written by that program itself, on this engine and this fake Azure, with one generated key. In those
 * of 0.1.0 customData, which held all of the signer, is a line that stands for it. Those of 0.2.0 are of the program
 * before there was the component `TezosSigner`, with the release and the first boot of the tests.
 * @param version of the program
 * @param kind a test stack, `dev`, or one of production with alerts, `mainnet`
 * @param program the program that takes the stack over
 */
export async function earlierStack(
  version: "0.1.0" | "0.2.0",
  kind: "throw-away" | "production",
  cloud: Cloud,
  engine: Engine,
  program: () => Promise<Record<string, unknown>>,
): Promise<TestStack> {
  const text = readFileSync(join(FOLDER, `stack-${version}-${kind}.json`), "utf8");
  const earlier: EarlierStack = JSON.parse(text);
  const resources: Resource[] = earlier.deployment.deployment.resources;
  for (const resource of resources.filter(({ type }) => type.startsWith("azure-native:"))) cloud.hold(resource);
  const stack = await engine.stack(earlier.stack, program);
  await stack.configure(earlier.config);
  await stack.stack.importStack(earlier.deployment);
  return stack;
}
