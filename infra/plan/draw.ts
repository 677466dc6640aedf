/**
 * Draws the plan of a stack: runs the program, and contacts nothing.
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Release } from "../components/releases.ts";
import type { StackConfig } from "../config/schema.ts";
import { build } from "../index.ts";
import type { Plan } from "./plan.ts";
import { record } from "./recorder.ts";

/** Returns what the program asks for. @throws pulumi.RunError for a program that breaks an invariant */
export function draw(settings: StackConfig): Promise<Plan> {
  return Promise.race([record(settings.stack, () => build(settings, placeholder())), refusal()]);
}

/** Rejects with what the program itself refuses: Pulumi leaves a resource that fails before it is registered to nobody. */
function refusal(): Promise<never> {
  return new Promise((_, reject) => process.once("unhandledRejection", reject));
}

/** Stands for the release, which `up` makes from the network: a plan needs neither. */
function placeholder(): Release {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  const sha256 = "0".repeat(64);
  const name = `tezos-signer-${version}-${sha256.slice(0, 12)}.tar`;
  return { version, sha256, name, source: new pulumi.asset.StringAsset("a placeholder") };
}
