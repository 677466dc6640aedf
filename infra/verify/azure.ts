/**
 * What Azure's resource manager, and Pulumi, tell of the stack.
 * @module
 */
import { z } from "zod";
import { read } from "../arm/answer.ts";
import { all, get } from "../arm/client.ts";
import { type Check, notKnown, notOk, ok } from "../preflight/row.ts";
import { type InstanceView, outcomeOf } from "../readiness/report.ts";
import type { Site } from "./site.ts";
import { assumed, PUT_BACK } from "./verdicts.ts";

/** The tags that the network's firewall names (infra/firewall.ts). */
const TAGS = ["AzureCloud", "AzureKeyVault", "Storage"];

const Tags = z.object({ values: z.array(z.object({ name: z.string() })) });

/** Service Tags - List (Microsoft.Network, 2024-05-01). */
export const SERVICE_TAGS: Check<Site> = {
  rows: ["service tags"],
  async examine({ subscription, settings, asker }) {
    const path = `${subscription}/providers/Microsoft.Network/locations/${settings.location}/serviceTags?api-version=2024-05-01`;
    const { values } = read(Tags, await get(path, asker), "the list of service tags");
    const names = new Set(values.map(({ name }) => name));
    const missing = TAGS.filter((name) => !names.has(name));
    return [
      assumed(
        "service tags",
        missing.length === 0,
        "Azure has the three of the firewall",
        `no ${missing.join(", no ")}`,
      ),
    ];
  },
};

/** Whether what the last `up` waited for is told as it was read there: VirtualMachineRunCommands - Get, 2024-11-01. */
export const LAST_WAIT: Check<Site> = {
  rows: ["last wait"],
  async examine({ settings, machine, asker }) {
    if (!settings.waitForSigner) return [ok("last wait", "the stack waits for no signer")];
    const path = `${machine.path}/runCommands`;
    const version = "api-version=2024-11-01";
    const found = await all<{ name?: string }>(`${path}?${version}`, asker);
    const name = found.map(({ name }) => name ?? "").find((name) => /^await-ready(?:-\d+)?$/.test(name));
    if (name === undefined) return [notOk("last wait", "the machine has no run command await-ready", PUT_BACK)];
    const one = await get<{ properties?: { instanceView?: InstanceView } }>(
      `${path}/${name}?${version}&$expand=instanceView`,
      asker,
    );
    const outcome = outcomeOf(one?.properties?.instanceView);
    if (outcome.kind === "under-way") return [notKnown("last wait", "Azure does not tell its end")];
    if (outcome.kind === "failed") return [notOk("last wait", outcome.words, "npm run up")];
    return [ok("last wait", outcome.report.missing ?? `the signer got ready, ${outcome.report.keys.length} keys`)];
  },
};

/** Whether a refresh is quiet for every resource. It only looks. */
export const REFRESH: Check<Site> = {
  rows: ["refresh"],
  async examine({ changedBeside }) {
    const changed = await changedBeside();
    if (changed.length === 0) return [ok("refresh", "Pulumi finds everything as it made it")];
    return [
      notOk("refresh", `Pulumi finds changed: ${changed.join(", ")}. Was it somebody? If not, tell us`, PUT_BACK),
    ];
  },
};
