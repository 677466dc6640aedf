/**
 * On the machine: what it reaches, and what its identity is good for. It writes nothing.
 * @module
 */
import { type Check, notKnown, notOk, ok, type Row } from "../preflight/row.ts";
import { onMachine } from "./machine.ts";
import { VAULT_VERSION } from "./outside.ts";
import type { Site } from "./site.ts";
import { type Answer, type Answers, came, type Step } from "./step.ts";
import { assumed, PUT_BACK, TELL } from "./verdicts.ts";

/** The resources that tokens are for. */
export const VAULT = "https://vault.azure.net";
export const STORAGE = "https://storage.azure.com";

/** A client id that no machine has. */
const NOBODY = "00000000-0000-4000-8000-00000000dead";

/** A key that no vault has: whoever may not delete is told so before it is looked for. */
const NO_KEY = "tezos-signer-verify-no-such-key";

const IMDS = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01";

function steps({ vaultUri, releaseUrl, production, machine }: Site): Step[] {
  const metadata = { headers: { Metadata: "true" } };
  const token = `${IMDS}&resource=${encodeURIComponent(VAULT)}`;
  return [
    {
      name: "token",
      ask: "GET",
      url: `${token}&client_id=${machine.clientId}`,
      ...metadata,
      pick: { life: "expires_in" },
    },
    { name: "nobody", ask: "GET", url: `${token}&client_id=${NOBODY}`, ...metadata },
    ...(production
      ? []
      : [
          { name: "ten", ask: "GET", url: `${token}&client_id=${machine.clientId}`, ...metadata, at_once: 10 } as const,
        ]),
    { name: "list", ask: "GET", url: `${vaultUri}/keys?${VAULT_VERSION}`, token: VAULT },
    { name: "delete", ask: "DELETE", url: `${vaultUri}/keys/${NO_KEY}?${VAULT_VERSION}`, token: VAULT },
    {
      name: "release",
      ask: "HEAD",
      url: releaseUrl,
      token: STORAGE,
      headers: { "x-ms-version": "2021-12-02" },
      heads: ["Content-Length"],
    },
    // The lists go to a folder of their own: the machine's own upgrade may hold the others.
    {
      name: "packages",
      run:
        "d=$(mktemp -d); mkdir -p $d/partial; apt-get update -o Dir::State::Lists=$d -o Dir::Cache::pkgcache= " +
        "-o Dir::Cache::srcpkgcache= 2>&1 | grep -E '^(Err|E:|W:|Reading)' | tail -n 2 | cut -c1-120; rm -rf $d",
      seconds: 120,
    },
    { name: "clock", run: "ls /dev/ptp_hyperv && chronyc -n sources | grep -F '#*'", seconds: 10 },
    { name: "elsewhere", tcp: "nodejs.org:443", seconds: 8 },
    {
      name: "units",
      run: "systemctl list-units --failed --plain | grep -oE '^[^ ]+[.](service|socket|timer|path|mount)' | tr '\\n' ' '",
      seconds: 10,
    },
    {
      name: "first boot",
      run:
        "journalctl --quiet --unit tezos-signer-bootstrap.service --output cat --no-pager | " +
        "sed -n 's/^tezos-signer-bootstrap: //p' | tail -n 40 | grep -cE '\\b403\\b'; test -e /opt/tezos-signer/current",
      seconds: 10,
    },
  ];
}

/** Judges what the machine told. */
export function machineRows(told: Answers, { production }: Pick<Site, "production">): Row[] {
  return [
    ok("run command", "the machine did what it was asked, and told it home"),
    identity(told("token")),
    assumed(
      "another identity",
      told("nobody").status === 400,
      "the metadata service refuses one that the machine has not",
      `${came(told("nobody"))}, and not 400`,
    ),
    ...(production ? [] : [manyTokens(told("ten"))]),
    vaultList(told("list")),
    rightsInVault(told("delete")),
    release(told("release")),
    packages(told("packages")),
    clock(told("clock")),
    elsewhere(told("elsewhere")),
    units(told("units")),
    firstBoot(told("first boot")),
  ];
}

function identity(answer: Answer): Row {
  const name = "machine's identity";
  if (answer.status === 0) return notKnown(name, came(answer));
  const life = (answer.picked as { life?: unknown } | undefined)?.life;
  if (answer.status !== 200) return notOk(name, `the metadata service gives it no token (${came(answer)})`, PUT_BACK);
  const says = `its token lasts ${Math.round(Number(life) / 3_600)} hours at most`;
  return assumed(
    name,
    /^\d{4,6}$/.test(String(life)) && typeof life === "string",
    says,
    `expires_in is ${JSON.stringify(life)}`,
  );
}

function manyTokens({ all = [] }: Answer): Row {
  const name = "tokens at once";
  if (all.length === 0) return notKnown(name, "the machine does not tell");
  const refused = all.filter(({ status }) => status !== 200);
  return assumed(
    name,
    refused.length === 0,
    "ten at once are given",
    `${refused.length} of ten are refused (${refused[0]?.status})`,
  );
}

function vaultList(answer: Answer): Row {
  const name = "vault by token";
  if (answer.status === 200) return ok(name, "the first request is answered, without a challenge before it");
  if (answer.status === 0) return notKnown(name, came(answer));
  if (answer.status === 401) return notOk(name, "the vault asks for another token first", TELL);
  return notOk(name, `the machine may not list keys (${came(answer)})`, PUT_BACK);
}

function rightsInVault(answer: Answer): Row {
  const name = "rights in the vault";
  if (answer.status === 0) return notKnown(name, came(answer));
  if (answer.status === 403 && answer.inner === "ForbiddenByPolicy") return ok(name, "the machine may delete no key");
  return notOk(name, `deleting is not refused as it should be (${came(answer)})`, PUT_BACK);
}

function release(answer: Answer): Row {
  const name = "release by token";
  const size = Number(answer.heads?.["Content-Length"] ?? 0);
  if (answer.status === 0) return notKnown(name, came(answer));
  if (answer.status !== 200) return notOk(name, `the machine does not read its release (${came(answer)})`, PUT_BACK);
  return assumed(name, size > 0, `${Math.round(size / 1e6)} MB`, "its size is not told");
}

function packages({ exit, text = "" }: Answer): Row {
  const name = "packages";
  if (exit === null || exit === undefined) return notKnown(name, "apt-get update took more than two minutes");
  const good = /Reading package lists/.test(text) && !/^(?:Err|E:)/m.test(text);
  return good ? ok(name, "Ubuntu's come over port 80") : notOk(name, `apt-get update: ${text || "no word"}`, PUT_BACK);
}

function clock({ exit, text = "" }: Answer): Row {
  const good = exit === 0 && /PHC\d/.test(text);
  return assumed(
    "clock",
    good,
    "the time comes from the host",
    "the time does not come from the host (/dev/ptp_hyperv)",
  );
}

function elsewhere({ way = "" }: Answer): Row {
  const name = "no way out";
  if (way === "silent") return ok(name, "nodejs.org is not reached");
  if (way === "open") return notOk(name, "nodejs.org is reached: the firewall lets more out than planned", PUT_BACK);
  return notKnown(
    name,
    way === "gaierror" ? "no name is found" : `the connection ended otherwise (${way || "no word"})`,
  );
}

function units({ exit, text = "" }: Answer): Row {
  const name = "units";
  if (exit !== 0) return notKnown(name, "systemd does not tell");
  const failed = text.split(/\s+/).filter((unit) => unit !== "");
  if (failed.length === 0) return ok(name, "none has failed");
  return notOk(name, `failed: ${failed.join(", ").slice(0, 200)}`, "npm run up");
}

function firstBoot({ exit, text = "" }: Answer): Row {
  const name = "first boot";
  if (exit !== 0) return notOk(name, "there is no release on the machine", "npm run up");
  const refusals = Number(text.split("\n")[0] ?? 0);
  return ok(name, refusals > 0 ? `its release came after ${refusals} refusals, by itself` : "its release is there");
}

export const MACHINE_ROWS: Check<Site> = {
  rows: [
    "run command",
    "machine's identity",
    "another identity",
    "vault by token",
    "rights in the vault",
    "release by token",
    "packages",
    "clock",
    "no way out",
    "units",
    "first boot",
  ],
  async examine(site) {
    return machineRows(await onMachine(site.machine, steps(site)), site);
  },
};
