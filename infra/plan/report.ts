/**
 * A plan as a baker reads it: 100 columns of plain text. Pure.
 * @module
 */

import { SIGNER_PORT } from "../../signer/contract.ts";
import { KINDS } from "../components/kinds.ts";
import type { StackConfig } from "../config/schema.ts";
import type { CostEstimate } from "../cost.ts";
import type { Rule } from "../firewall.ts";
import { commandsReplacedBy } from "./guide.ts";
import { at, type Plan, type PlannedResource } from "./plan.ts";

export interface Report {
  readonly settings: StackConfig;
  readonly plan: Plan;
  /** Whether each resource has beside it what it replaces of the old guide. */
  readonly guide: boolean;
  readonly rules: readonly Rule[];
  readonly cost: CostEstimate;
  readonly warnings: readonly string[];
  /** Names of the invariants: the program refuses to register what breaks one. */
  readonly kept: readonly string[];
}

const WIDTH = 100;
const INDENT = "    ";

/** Writes the report. */
export function report({ settings, plan, guide, rules, cost, warnings, kept }: Report): string {
  const azure = plan.resources.filter(({ type }) => type.startsWith("azure-native:"));
  const kind = settings.production ? "production" : "test";
  return [
    `Stack ${settings.stack}: a ${kind} signer in ${settings.location}. Nothing was contacted, nothing was changed.`,
    "The release of the signer is a placeholder here: `npm run up` makes it and knows its hash.",
    section(
      `Azure would hold ${azure.length} resources`,
      table(azure.flatMap((resource) => resourceRows(resource, guide))),
    ),
    section("Firewall of the machine", table([FIREWALL_HEAD, ...rules.map(firewallRow)])),
    section("Firewall and rights of the key vault", vault(plan, settings)),
    section(
      `A month costs about ${cost.usd.toFixed(2)} US dollars`,
      table([
        ...cost.lines.map(({ what, usd, basis }) => [what, usd.toFixed(2).padStart(7), basis]),
        ...cost.assumptions.map((assumption) => [assumption]),
      ]),
    ),
    section("What stays when", lifetimes(settings)),
    section(
      `Rules kept: ${kept.length}`,
      kept.map((name) => `ok  ${name}`),
    ),
    ...(warnings.length > 0 ? [section("Warnings", warnings)] : []),
  ].join("\n");
}

const FIREWALL_HEAD = ["direction", "priority", "access", "protocol", "from", "to", "port", "for"];

function firewallRow(rule: Rule): string[] {
  return [
    rule.direction,
    String(rule.priority),
    rule.access,
    rule.protocol,
    rule.sourceAddressPrefixes.join(" "),
    rule.destinationAddressPrefix,
    rule.destinationPortRange,
    rule.description,
  ];
}

function resourceRows({ type, name, inputs }: PlannedResource, withGuide: boolean): string[][] {
  const { word = type, name: nameKey = "", shown: paths = [] } = KINDS[type] ?? {};
  const settings = paths.map((entry) => {
    const [path = "", unit = ""] = entry.split("|");
    return `${shown(at(inputs, path))}${unit}`;
  });
  const row = [word, String(at(inputs, nameKey) ?? name), settings.join(", ")];
  const replaced = withGuide ? commandsReplacedBy(name) : [];
  return replaced.length === 0 ? [row] : [row, [`${INDENT}instead of: ${replaced.join("; ")}`]];
}

function vault(plan: Plan, { instances }: StackConfig): string[] {
  const inputs = plan.resources.find(({ type }) => type === "azure-native:keyvault:Vault")?.inputs;
  const rules = list(at(inputs, "properties.networkAcls.ipRules"));
  const policies = list(at(inputs, "properties.accessPolicies"));
  return table([
    ["default", String(at(inputs, "properties.networkAcls.defaultAction")), "whoever is not below is refused"],
    ["allowed", "subnet signer", "through its own endpoint"],
    ...rules.map((rule, index) => [
      "allowed",
      String(at(rule, "value")),
      index < instances ? "the machine" : "the key importer",
    ]),
    ...policies.map((policy, index) => [
      index === 0 ? "machine" : "key importer",
      list(at(policy, "permissions.keys")).join(" "),
      index === 0 ? "signs" : "brings keys in, never signs",
    ]),
  ]);
}

function lifetimes({ production, instances }: StackConfig): string[] {
  return [
    "config set bakerIp, then up: the firewall changes in place; the signer is not even restarted",
    "a new version of the signer, then up: the machine changes over in place, and back if it must",
    "another image, size or SSH key: the machine is replaced; address, keys and watermarks stay",
    ...(instances === 1
      ? []
      : ["of two machines, the second is touched first, and the first once the second signs again"]),
    production
      ? "destroy: refused, before anything is deleted"
      : "destroy: everything goes, keys and watermarks included",
  ].concat(`octez-baker asks http://<address>:${SIGNER_PORT} throughout`);
}

function section(title: string, lines: readonly string[]): string {
  return `\n${title}\n${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}`;
}

/** Columns as wide as their widest cell; the last is cut where the line would be too long. */
function table(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.filter((row) => row.length > 1).map((row) => (row[column] ?? "").length)),
  );
  return rows.flatMap((row) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
    return wrap(row.length === 1 ? (row[0] ?? "") : line);
  });
}

/** Breaks a line that is too long at its last gap, which is two spaces or a semicolon, and indents the rest. */
function wrap(line: string): string[] {
  if (line.length + 2 <= WIDTH) return [line];
  const gaps = [...line.matchAll(/ {2,}|; /g)].map(({ index, 0: gap }) => index + gap.length);
  const cut = gaps.findLast((end) => end > INDENT.length && end <= WIDTH - 2);
  return cut === undefined ? [line] : [line.slice(0, cut).trimEnd(), ...wrap(INDENT + line.slice(cut).trim())];
}

function shown(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  return value
    .map((entry) => (typeof entry === "object" ? Object.values(entry as object).join(" ") : String(entry)))
    .join(", ");
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
