import type { Twist } from "./played-network.ts";
import type { Part, World } from "./world.ts";

/** Something that is otherwise than this project assumes: Azure itself, or what somebody changed. */
export interface Fault {
  /** The row that finds it. */
  readonly row: string;
  /** A text of the row. */
  readonly says: string | RegExp;
  readonly breaks: (world: World) => void;
  /** Rows that are not ok, or not known, for the same reason. */
  readonly beside?: readonly string[];
}

/** Faults that do not hide each other, so that one look finds them all. */
export interface Look {
  readonly part: Part;
  readonly faults: readonly Fault[];
}

const OWN = /^tezos-/;
const THROWN = /^tzver/;

function twist(host: RegExp, path: RegExp, change: Twist["change"], method?: string): Fault["breaks"] {
  return ({ network }) => void network.twists.push({ host, path, change, ...(method === undefined ? {} : { method }) });
}

function status(status: number, body = ""): Twist["change"] {
  return (answer) => Object.assign(answer, { status, body });
}

/** Another answer in the place of those with a status, and a text where one is given. */
function inPlaceOf(old: number, text: string, change: Twist["change"]): Twist["change"] {
  return (answer) => {
    if (answer.status === old && answer.body.includes(text)) change(answer);
  };
}

const refusedWith = (code: string) =>
  status(403, JSON.stringify({ error: { code: "Forbidden", innererror: { code } } }));

/** Changes the JSON of an answer. */
function json(change: (body: Record<string, unknown>) => void): Twist["change"] {
  return (answer) => {
    const body = JSON.parse(answer.body);
    change(body);
    answer.body = JSON.stringify(body);
  };
}

/** Changes what Azure has of a resource of the stack, as somebody in the portal does. */
function changed(end: string, change: (inputs: Record<string, unknown>) => void): Fault["breaks"] {
  return ({ cloud }) => {
    const resource = [...cloud.resources.values()].find(({ id }) => id.endsWith(end));
    if (resource === undefined) throw new Error(`there is no ${end}`);
    const inputs = structuredClone(resource.inputs) as Record<string, unknown>;
    change(inputs);
    cloud.hold({ ...resource, inputs });
  };
}

const ofVault = (inputs: Record<string, unknown>) =>
  inputs.properties as { networkAcls: Record<string, unknown>; accessPolicies: Record<string, unknown>[] };

type Listed = { attributes: { created: number; updated: number } }[];

/** A counter for the n-th of several answers. */
function nth(count: number, change: Twist["change"]): Twist["change"] {
  let seen = 0;
  return (answer) => {
    seen += 1;
    if (seen === count) change(answer);
  };
}

/** The first answer again and again. */
function again(): Twist["change"] {
  let first: string | undefined;
  return (answer) => {
    if (answer.status !== 200) return;
    first ??= answer.body;
    answer.body = first;
  };
}

const KEYS = /^\/keys\?/;
const SIGN_ONE = /^\/keys\/k1\/sign/;
const ONE = /^\/keys\/k1\?/;
const VERSION_OF_ONE = /^\/keys\/k1\/[0-9a-f]{32}\?/;

/** What somebody changed beside Pulumi, as it is seen from here. */
const FROM_HERE: Look = {
  part: "looks",
  faults: [
    { row: "port 6732", says: "stop the machine until you know why", breaks: ({ ways }) => void (ways[6732] = "open") },
    { row: "port 22", says: "it answers this computer", breaks: ({ ways }) => void (ways[22] = "open") },
    {
      row: "vault from here",
      says: "somebody opened its firewall",
      breaks: twist(/^from-here\.tezos-/, /./, inPlaceOf(403, "", status(200))),
    },
    {
      row: "vault without a token",
      says: "404, and not 401",
      breaks: twist(/^from-here\.tezos-/, /./, inPlaceOf(401, "", status(404))),
    },
    {
      row: "release without a token",
      says: "anybody reads it",
      breaks: twist(/^from-here\.tzrel/, /./, status(200)),
    },
    {
      row: "network's firewall",
      says: "not as planned: everybody",
      breaks: changed("/signer-firewall", (inputs) => {
        const rule = { name: "everybody", direction: "Inbound", priority: 101, access: "Allow", protocol: "Tcp" };
        const where = { sourceAddressPrefix: "*", destinationAddressPrefix: "*", destinationPortRange: "6732" };
        (inputs.securityRules as object[]).push({ ...rule, ...where });
      }),
    },
    {
      row: "vault's firewall",
      says: "it lets everybody in",
      breaks: changed("/vaults/tezos-0123456789abcdef", (inputs) => {
        ofVault(inputs).networkAcls.defaultAction = "Allow";
      }),
    },
    {
      row: "vault's policies",
      says: "(delete get list sign)",
      breaks: changed("/vaults/tezos-0123456789abcdef", (inputs) => {
        const [policy] = ofVault(inputs).accessPolicies;
        (policy?.permissions as { keys: string[] }).keys.push("Delete");
      }),
    },
    {
      row: "watermarks' account",
      says: "it takes shared keys",
      breaks: changed("/tezos0123456789abcdef", (inputs) => void (inputs.allowSharedKeyAccess = true)),
    },
    {
      row: "releases' account",
      says: "blobs of it may be public",
      breaks: changed("/tzrel0123456789abcdef", (inputs) => void (inputs.allowBlobPublicAccess = true)),
    },
    {
      row: "service tags",
      says: "no AzureKeyVault",
      breaks: ({ cloud }) => {
        cloud.account.serviceTags = cloud.account.serviceTags.filter((tag) => tag !== "AzureKeyVault");
      },
    },
    {
      row: "last wait",
      says: "the machine refused the release",
      breaks: ({ cloud, home }) => {
        const error = "the machine refused the release: it does not start";
        cloud.runCommands.agent = () => ({ exitCode: 1, output: "", error, seconds: 3 });
        const id = `${home}/providers/Microsoft.Compute/virtualMachines/signer/runCommands/await-ready`;
        cloud.runCommands.run({ id, inputs: { source: { script: "false" }, parameters: [] } }, 3_600);
      },
    },
    {
      row: "refresh",
      says: "Pulumi finds changed: vault (tags)",
      breaks: (world) => void (world.changed = ["vault (tags)"]),
    },
  ],
};

const IMDS = /^169\.254/;

/** On the machine, and in its table. */
const ON_MACHINE: Look = {
  part: "machine",
  faults: [
    {
      row: "machine's identity",
      says: "expires_in is 86400",
      breaks: twist(
        IMDS,
        /client_id=aaaaaaaa/,
        json((body) => void (body.expires_in = 86_400)),
      ),
    },
    {
      row: "another identity",
      says: "200, and not 400",
      breaks: twist(IMDS, /client_id=00000000/, status(200, "{}")),
    },
    {
      row: "tokens at once",
      says: "1 of ten are refused (429)",
      breaks: twist(IMDS, /aaaaaaaa/, nth(6, status(429, "{}"))),
    },
    {
      row: "vault by token",
      says: "asks for another token first",
      breaks: twist(OWN, KEYS, status(401, "{}")),
    },
    {
      row: "rights in the vault",
      says: "deleting is not refused as it should be (404 KeyNotFound)",
      breaks: twist(OWN, /no-such-key/, status(404, '{"error":{"code":"KeyNotFound"}}'), "DELETE"),
    },
    {
      row: "release by token",
      says: "does not read its release (403)",
      breaks: twist(/^tzrel/, /./, status(403), "HEAD"),
    },
    {
      row: "packages",
      says: "Err:1 http://azure.archive.ubuntu.com",
      breaks: ({ network }) =>
        void (network.programs["apt-get"] = ["Err:1 http://azure.archive.ubuntu.com/ubuntu", 100]),
    },
    { row: "clock", says: "not come from the host", breaks: ({ network }) => void (network.programs.ls = ["", 2]) },
    { row: "no way out", says: "lets more out", breaks: ({ network }) => void (network.registry = "open") },
    {
      row: "units",
      says: "failed: tezos-signer.service",
      breaks: ({ network }) => void (network.programs.systemctl = ["tezos-signer.service loaded failed", 0]),
    },
    {
      row: "first boot",
      says: "no release on the machine",
      breaks: ({ network }) => void (network.programs.test = ["", 1]),
    },
    {
      row: "row made once",
      says: "201, then 204",
      breaks: twist(/^tezos/, /^\/watermarks/, inPlaceOf(409, "", status(204)), "POST"),
    },
    {
      row: "row replaced once",
      says: "204, then 204",
      breaks: twist(/^tezos/, /^\/watermarks/, inPlaceOf(412, "", status(204)), "PUT"),
    },
    {
      row: "row's mark",
      says: "no odata.etag is in the body",
      breaks: twist(
        /^tezos/,
        /^\/watermarks/,
        inPlaceOf(
          200,
          "odata.etag",
          json((body) => void delete body["odata.etag"]),
        ),
        "GET",
      ),
    },
    {
      row: "service's time",
      says: "600 s from the machine's",
      breaks: twist(
        /^tezos/,
        /^\/watermarks/,
        (answer) => void (answer.headers.date = "Sun, 29 Nov 2026 12:10:00 GMT"),
        "POST",
      ),
    },
    {
      row: "shared keys",
      says: "200 came",
      breaks: twist(/^tezos/, /^\/watermarks/, inPlaceOf(403, "KeyBased", status(200)), "GET"),
    },
    {
      row: "row removed",
      says: "still there (403 AuthorizationFailure)",
      breaks: twist(
        /^tezos/,
        /^\/watermarks/,
        status(403, '{"odata.error":{"code":"AuthorizationFailure"}}'),
        "DELETE",
      ),
    },
  ],
};

/** The table's role is not there. */
const NO_ROLE: Look = {
  part: "machine",
  faults: [
    {
      row: "row made once",
      says: "the machine may not write its table (403 AuthorizationPermissionMismatch)",
      beside: ["row replaced once", "row's mark", "row removed", "shared keys"],
      breaks: twist(/^tezos.*table/, /./, status(403, '{"odata.error":{"code":"AuthorizationPermissionMismatch"}}')),
    },
  ],
};

/** A machine whose agent runs nothing. */
const NO_AGENT: Look = {
  part: "machine",
  faults: [
    {
      row: "run command",
      says: "another command",
      beside: [...ON_MACHINE.faults.map(({ row }) => row).filter((row) => row !== "tokens at once"), "table's speed"],
      breaks: ({ cloud }) => void (cloud.runCommands.busy = 2),
    },
  ],
};

const VAULT: Look = {
  part: "vault",
  faults: [
    {
      row: "signature",
      says: "it is not the key's",
      breaks: twist(
        THROWN,
        SIGN_ONE,
        inPlaceOf(
          200,
          "",
          json((body) => {
            const bytes = Buffer.from(String(body.value), "base64url");
            bytes[40] = (bytes[40] ?? 0) ^ 1;
            body.value = bytes.toString("base64url");
          }),
        ),
      ),
    },
    {
      row: "short digest",
      says: "200 came, and not 400 BadParameter",
      breaks: twist(THROWN, SIGN_ONE, inPlaceOf(400, "Invalid length", status(200, "{}"))),
    },
    {
      row: "other algorithm",
      says: "200 came",
      breaks: twist(THROWN, SIGN_ONE, inPlaceOf(400, "incompatible", status(200, "{}"))),
    },
    { row: "unknown version", says: "404 came", breaks: twist(THROWN, /2099-01-01/, status(404, "{}")) },
    { row: "attestation", says: "404 came", breaks: twist(THROWN, /attestation/, status(404, "{}")) },
    {
      row: "disabled key",
      says: "403 Forbidden KeyNotFound came",
      breaks: twist(THROWN, SIGN_ONE, inPlaceOf(403, "KeyDisabled", refusedWith("KeyNotFound"))),
    },
    {
      row: "disabled key is read",
      says: "403 Forbidden KeyDisabled",
      breaks: twist(THROWN, ONE, inPlaceOf(200, '"enabled":false', refusedWith("KeyDisabled")), "GET"),
    },
    {
      row: "expired key",
      says: "the signer takes it for a missing permission",
      breaks: twist(THROWN, /^\/keys\/k2\/sign/, inPlaceOf(403, "KeyExpired", refusedWith("KeyInvalid"))),
    },
    {
      row: "missing permission",
      says: "404 came",
      breaks: twist(THROWN, /^\/deletedkeys\/none/, status(404, "{}")),
    },
    {
      row: "deleted key",
      says: "409 came",
      breaks: twist(THROWN, /^\/keys\/k2\/sign/, inPlaceOf(404, "", status(409, "{}"))),
    },
    {
      row: "deleted key is listed",
      says: "not as deleted within a minute (404",
      breaks: twist(THROWN, /^\/deletedkeys\/k2/, status(404, "{}")),
    },
    {
      row: "throttling",
      says: "none refused",
      breaks: twist(THROWN, /^\/keys\/k7\/create/, inPlaceOf(429, "", status(200, "{}"))),
    },
    {
      row: "list tells a change",
      says: "the signer would see it late",
      breaks: twist(
        THROWN,
        KEYS,
        inPlaceOf(
          200,
          "",
          json((body) => {
            for (const { attributes } of body.value as Listed) attributes.updated = attributes.created;
          }),
        ),
      ),
    },
    {
      row: "tags of versions",
      says: "shows another one's tags",
      breaks: twist(
        THROWN,
        /versions/,
        json((body) => {
          for (const version of body.value as Record<string, unknown>[]) version.tags = { a: "b" };
        }),
      ),
    },
    {
      row: "disabled version is read",
      says: "passes over its tag",
      breaks: twist(THROWN, VERSION_OF_ONE, inPlaceOf(200, '"enabled":false', refusedWith("KeyDisabled")), "GET"),
    },
    {
      row: "one key, two names",
      says: "200, then 200",
      breaks: twist(
        THROWN,
        /^\/keys\/k5/,
        json((body) => void ((body.key as { x: string }).x = "another")),
      ),
    },
    {
      row: "curve by its old name",
      says: "ECDSA256 400",
      breaks: twist(THROWN, /^\/keys\/k6\/sign/, status(400, "{}")),
    },
    { row: "wrapped key", says: "400", breaks: twist(THROWN, /^\/keys\/k8/, status(400, "{}")) },
    { row: "blob cut short", says: "200 came", breaks: twist(THROWN, /^\/keys\/k9/, status(200, "{}")) },
    {
      row: "deleted vault",
      says: "not listed; its name again: ConflictError",
      breaks: ({ cloud }) =>
        void cloud.account.faults.push({ path: /deletedVaults\/tzver\w+$/, status: 404, body: "{}" }),
    },
  ],
};

const OTHER_VAULT: Look = {
  part: "vault",
  faults: [
    { row: "nonces", says: "1 of 20 differ", breaks: twist(THROWN, SIGN_ONE, again()) },
    {
      row: "list tells a version",
      says: "does not change created",
      breaks: twist(
        THROWN,
        KEYS,
        inPlaceOf(
          200,
          "",
          json((body) => {
            for (const { attributes } of body.value as Listed) attributes.created = 1;
          }),
        ),
      ),
    },
    {
      row: "exchange key",
      says: "it may import,wrapKey",
      beside: ["wrapped key", "blob cut short"],
      breaks: twist(
        THROWN,
        /^\/keys\/kek/,
        json((body) => {
          (body.key as { key_ops: string[] }).key_ops = ["import", "wrapKey"];
        }),
      ),
    },
    {
      row: "taken away",
      says: "still there (403 AuthorizationFailed)",
      breaks: ({ cloud }) => {
        const body = '{"error":{"code":"AuthorizationFailed"}}';
        cloud.account.faults.push({ path: /\/purge$/, method: "POST", status: 403, body });
      },
    },
  ],
};

function slow(part: Part, rows: readonly string[]): Look {
  const breaks: Fault["breaks"] = ({ network }) => void (network.slow = true);
  return { part, faults: rows.map((row) => ({ row, says: "3000 ms", breaks })) };
}

const SHORT: Look = {
  part: "vault",
  faults: [
    {
      row: "halves of S",
      says: "no 64 bytes come",
      beside: ["signature"],
      breaks: twist(
        THROWN,
        SIGN_ONE,
        inPlaceOf(
          200,
          "",
          json((body) => void (body.value = String(body.value).slice(0, 20))),
        ),
      ),
    },
  ],
};

/** Everything by name. */
export const LOOKS: Readonly<Record<string, Look>> = {
  "what somebody changed beside Pulumi": FROM_HERE,
  "a machine on which everything is otherwise, and its table": ON_MACHINE,
  "a machine without its role on the table": NO_ROLE,
  "a machine that is busy with another command": NO_AGENT,
  "a vault in which nearly everything is otherwise": VAULT,
  "a vault in which the rest is, and which cannot be purged": OTHER_VAULT,
  "a table that is slow": slow("machine", ["table's speed"]),
  "a vault that is slow": slow("vault", ["signing speed", "new connections"]),
  "signatures that are short": SHORT,
  "a policy that never works": {
    part: "vault",
    faults: [
      {
        row: "policy works",
        says: "not work after ten minutes (403 Forbidden ForbiddenByPolicy)",
        beside: ["list tells a change", "list tells a version"],
        breaks: twist(THROWN, KEYS, refusedWith("ForbiddenByPolicy")),
      },
    ],
  },
};
