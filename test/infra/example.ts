import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { build } from "../../infra/index.ts";
import { type Plan, record } from "../../infra/plan/recorder.ts";
import type { Release } from "../../infra/releases.ts";
import { parseSettings, type Settings } from "../../infra/settings.ts";

/** An Ed25519 public key of the right form. */
export const SSH_KEY = `ssh-ed25519 ${Buffer.concat([Buffer.from("0000000b7373682d6564323535313900000020", "hex"), Buffer.alloc(32, 7)]).toString("base64")}`;

/** The least that a stack needs. */
export const LEAST = { location: "northeurope", bakerIp: "84.20.17.5", sshPublicKey: SSH_KEY } as const;

/** A configuration that uses everything. */
export const EVERYTHING = {
  ...LEAST,
  bakerIp: "84.20.17.5, 84.20.18.0/28",
  adminIp: "84.20.19.1",
  operator: '{"objectId":"AAAAAAAA-1111-4222-8333-444444444444","ip":"84.20.19.2"}',
  keys: '[{"name":"consensus","curve":"P-256","source":"generate"},{"name":"manager","curve":"P-256K","source":"generate"}]',
  production: "true",
  monitoring: "true",
  alertEmail: "baker@example.org",
  redundancy: "ZRS",
  tags: '{"owner":"baker"}',
} as const;

export function settings(config: Readonly<Record<string, string>> = {}): Settings {
  return parseSettings({ ...LEAST, ...config }, "dev");
}

/** What the program asks for with a configuration, beside the least. */
export function plan(config: Readonly<Record<string, string>> = {}, customData = "IyBvbmUK"): Promise<Plan> {
  return record("dev", () => build(settings(config), customData, release("first")));
}

/** A release whose content is a word: other content, another hash, another release. */
export function release(content: string): Release {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const name = `tezos-signer-0.2.0-${sha256.slice(0, 12)}.tar`;
  return { version: "0.2.0", sha256, name, source: new pulumi.asset.StringAsset(content) };
}
