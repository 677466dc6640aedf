/**
 * What `npm run setup` asks, in its order: each question with why it is asked, and what its answer sets. Which answers are
 * right is the schema's to say. Pure.
 * @module
 */
import type { KeyName } from "../config/schema.ts";

/** The stack's file as it will be, without the project's name before each key. */
export type Draft = Record<string, unknown>;

export interface Question {
  /** The command's option that answers it beforehand. */
  readonly option: string;
  readonly prompt: string;
  /** Why it is asked, and how its answer is found; lines of at most 80 columns. */
  readonly why: readonly string[];
  /** The key of the configuration that the answer sets, and that is checked at once. */
  readonly key: KeyName;
  /** Whether it is asked at all, after what was answered before. */
  readonly isAsked?: (draft: Draft) => boolean;
  /** What an empty answer stands for; undefined where there must be one, and "" where the key is then not set. */
  readonly unlessGiven?: (draft: Draft) => string | undefined;
  /** Makes of an answer what is set; the text itself where there is none. @param now milliseconds since 1970 */
  readonly value?: (answer: string, now: number) => unknown;
}

/** The networks that have a name here. */
const NETWORKS: Readonly<Record<string, string>> = { mainnet: "NetXdQprcVkpaWU", shadownet: "NetXsqzbfFenSTS" };

const HOUR = 3_600_000;

const isProduction = (draft: Draft) => draft.production === "true";

/** Everything that is asked of a stack, but its name. */
export const QUESTIONS: readonly Question[] = [
  {
    option: "kind",
    prompt: "test or production",
    why: [
      "A test stack makes its key in the HSM, signs at once, and can be destroyed.",
      "A production stack waits for a key that you make offline, and is kept from being",
      "deleted by mistake.",
    ],
    key: "production",
    unlessGiven: () => "test",
    value: (answer) => ({ test: "false", production: "true" })[answer] ?? answer,
  },
  {
    option: "network",
    prompt: "Network: mainnet, shadownet, or a chain's id",
    why: ["Only requests of this chain are signed."],
    key: "chains",
    unlessGiven: (draft) => (isProduction(draft) ? "mainnet" : "shadownet"),
    value: (answer) => [NETWORKS[answer] ?? answer],
  },
  {
    option: "location",
    prompt: "Azure's region",
    why: [
      "Near your baker: each signature makes the way twice. For example northeurope,",
      'eastus, southeastasia; az account list-locations --query "[].name" -o tsv',
      "prints all. It cannot be changed later.",
    ],
    key: "location",
  },
  {
    option: "baker-ip",
    prompt: "The baker's address",
    why: [
      "The firewall lets in this address and no other. On the baker's computer:",
      "  curl -4 https://api.ipify.org",
      "Several, with commas between them. It can be changed at any time.",
    ],
    key: "bakerIp",
  },
  {
    option: "client-key",
    prompt: "The public key of the baker's client",
    why: [
      "The way to the signer is plain HTTP, so the baker proves with a key that it asks.",
      "On the baker's computer:",
      "  octez-client gen keys signer-access",
      "  octez-client show address signer-access",
      "and give the Public Key, edpk…. In production `none` goes without one.",
    ],
    key: "authorizedKeys",
    unlessGiven: (draft) => (isProduction(draft) ? undefined : ""),
    value: (answer) => (answer === "none" ? answer : [answer]),
  },
  {
    option: "ssh-key",
    prompt: "Your SSH public key, or its file",
    why: [
      "Azure makes no machine without one. Port 22 stays closed until you set adminIp.",
      "To make one: ssh-keygen -t ed25519",
    ],
    key: "sshPublicKey",
  },
  {
    option: "first-level",
    prompt: "The level from which it may sign",
    why: [
      "A new signer has no record, so you say where it begins: some blocks above the",
      "chain's head. The key must not bake elsewhere at or above it. On the baker:",
      "  octez-client rpc get /chains/main/blocks/head/header | grep '\"level\"'",
      "It may begin within twelve hours from now. Empty: not yet, and it signs nothing.",
    ],
    key: "initialise",
    isAsked: isProduction,
    unlessGiven: () => "",
    value: (answer, now) => ({
      level: /^\d+$/.test(answer) ? Number(answer) : answer,
      until: new Date(Math.floor(now / HOUR + 12) * HOUR).toISOString().replace(".000", ""),
    }),
  },
  {
    option: "alert-email",
    prompt: "Where alerts are mailed",
    why: ["Azure watches that it signs, for 1.90 dollars a month. Empty: it watches nothing."],
    key: "alertEmail",
    isAsked: isProduction,
    unlessGiven: () => "",
  },
];

/**
 * Adds what no question asks, and follows from the answers: what watches a stack whose alerts are mailed, and the key of a
 * test stack.
 * @param there names of the keys that the stack's file has already
 */
export function withConsequences(draft: Draft, there: readonly string[]): Draft {
  const monitoring = draft.alertEmail === undefined ? {} : { monitoring: "true" };
  const generated = { keys: [{ name: "baker", curve: "P-256", source: "generate" }] };
  return { ...draft, ...(isProduction(draft) || there.includes("keys") ? {} : generated), ...monitoring };
}
