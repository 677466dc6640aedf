/**
 * The login that `up` would use: Pulumi's provider takes ARM_* variables where they are set, and `az login` otherwise.
 * @module
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { ENDPOINT } from "../arm/client.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Who asks Azure, and where. */
export interface Login {
  readonly token: string;
  /** As in `/subscriptions/GUID`. */
  readonly subscription: string;
  readonly objectId: string | undefined;
}

/** Nobody is logged in, or not so that Azure can be asked: one sentence. */
export class NoLogin extends Error {}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** How a token is had without `az`, by the variables of azure-native (its "Configuring the provider"). */
const WAYS: readonly (readonly [
  needs: string,
  get: (env: Env, tenantId: string, clientId: string, resource: string) => Promise<string>,
])[] = [
  [
    "ARM_CLIENT_SECRET",
    async (env, tenantId, clientId, resource) => {
      const { ClientSecretCredential } = await import("@azure/identity");
      return tokenOf(new ClientSecretCredential(tenantId, clientId, env.ARM_CLIENT_SECRET ?? ""), resource);
    },
  ],
  [
    "ARM_CLIENT_CERTIFICATE_PATH",
    async (env, tenantId, clientId, resource) => {
      const { ClientCertificateCredential } = await import("@azure/identity");
      const certificatePath = env.ARM_CLIENT_CERTIFICATE_PATH ?? "";
      const certificatePassword = env.ARM_CLIENT_CERTIFICATE_PASSWORD;
      const certificate = { certificatePath, ...(certificatePassword === undefined ? {} : { certificatePassword }) };
      return tokenOf(new ClientCertificateCredential(tenantId, clientId, certificate), resource);
    },
  ],
  [
    "ARM_OIDC_TOKEN",
    async (env, tenantId, clientId, resource) => {
      const { ClientAssertionCredential } = await import("@azure/identity");
      return tokenOf(new ClientAssertionCredential(tenantId, clientId, async () => env.ARM_OIDC_TOKEN ?? ""), resource);
    },
  ],
  [
    "ARM_OIDC_TOKEN_FILE_PATH",
    async (env, tenantId, clientId, resource) => {
      const { ClientAssertionCredential } = await import("@azure/identity");
      const assertion = async () => readFileSync(env.ARM_OIDC_TOKEN_FILE_PATH ?? "", "utf8").trim();
      return tokenOf(new ClientAssertionCredential(tenantId, clientId, assertion), resource);
    },
  ],
];

/** @throws Error where Azure gives none */
async function tokenOf(
  credential: { getToken(scope: string): Promise<{ token: string } | null> },
  resource: string,
): Promise<string> {
  return (await credential.getToken(`${resource}/.default`))?.token ?? "";
}

/**
 * Takes the login.
 * @param env of the process
 * @param configured the subscription that the stack's own configuration selects, where it does
 * @param resource what the token is for
 * @throws NoLogin
 */
export async function login(env: Env, configured?: string, resource: string = ENDPOINT): Promise<Login> {
  const chosen = configured ?? env.ARM_SUBSCRIPTION_ID;
  const found = (await byVariables(env, chosen, resource)) ?? (await byAz(chosen, resource));
  if (!GUID.test(found.subscription))
    throw new NoLogin("no subscription is selected: az account set --subscription NAME");
  return {
    token: found.token,
    subscription: `/subscriptions/${found.subscription}`,
    objectId: objectIdIn(found.token),
  };
}

/**
 * Makes what gives another token in the place of one that has ended: whoever asks with the same old one gets the same new one.
 * @param first that is in use
 * @param get takes a new login
 */
export function renewal(first: string, get: () => Promise<Pick<Login, "token">>): (ended: string) => Promise<string> {
  let [newest, coming] = [first, Promise.resolve(first)];
  return (ended) => {
    if (ended === newest) {
      newest = "";
      coming = get().then(
        ({ token }) => (newest = token),
        (error: Error) => {
          newest = ended; // whoever asks next tries again
          throw error;
        },
      );
    }
    return coming;
  };
}

async function byVariables(env: Env, subscription: string | undefined, resource: string) {
  const isSet = (name: string) => (env[name] ?? "") !== "";
  if (env.ARM_USE_MSI === "true") {
    const { ManagedIdentityCredential } = await import("@azure/identity");
    const clientId = env.ARM_CLIENT_ID;
    const identity = clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential();
    return given(await tokenOf(identity, resource).catch(refused), subscription);
  }
  const way = WAYS.find(([name]) => isSet(name));
  if (way === undefined) return undefined;
  const missing = ["ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID"].filter((name) => {
    return !isSet(name) && !(name === "ARM_SUBSCRIPTION_ID" && subscription !== undefined);
  });
  if (missing.length > 0)
    throw new NoLogin(`${way[0]} is set, and ${missing.join(" and ")} is not: Pulumi needs all of them`);
  const token = await way[1](env, env.ARM_TENANT_ID ?? "", env.ARM_CLIENT_ID ?? "", resource).catch(refused);
  return given(token, subscription);
}

function given(token: string, subscription = ""): { token: string; subscription: string } {
  return { token, subscription };
}

/** Azure's own words can hold what was given; its code is enough. */
function refused(error: Error): never {
  const code = /AADSTS\d+/.exec(error.message)?.[0] ?? (error as { code?: string }).code ?? error.name;
  throw new NoLogin(
    `Azure gives no token to what the ARM_ variables name (${code}): check them, or unset them and log in with az login`,
  );
}

const Answer = z.object({ accessToken: z.string().regex(/^[\w.~+/=-]+$/), subscription: z.string() });

async function byAz(subscription: string | undefined, resource: string) {
  const args = ["account", "get-access-token", "--resource", resource, "--output", "json"];
  const { stdout, code, stderr } = await az([
    ...args,
    ...(subscription === undefined ? [] : ["--subscription", subscription]),
  ]);
  if (code === "ENOENT")
    throw new NoLogin("az is not on PATH, and no ARM_ variables are set: docs/deploy.md says how to install it");
  if (code !== 0) throw new NoLogin(saidByAz(stderr));
  try {
    const { accessToken, subscription } = Answer.parse(JSON.parse(stdout));
    return { token: accessToken, subscription };
  } catch {
    throw new NoLogin(
      "az account get-access-token does not print what it should: is az older than 2.50, or another program?",
    );
  }
}

/** What az says of each, in our own sentence: nothing of what it was given is repeated. */
function saidByAz(stderr: string): string {
  if (/az login|setup account/i.test(stderr) && !/AADSTS|expired/i.test(stderr))
    return "nobody is logged in to Azure: az login";
  if (/subscription.*(?:doesn't exist|not found)/i.test(stderr)) {
    return "the subscription that is selected is none of this login's: az account set --subscription NAME";
  }
  const code = /AADSTS\d+/.exec(stderr)?.[0];
  if (code !== undefined) return `the login has ended, or Azure wants it again (${code}): az login`;
  if (/connection|resolve|network|timed out/i.test(stderr)) return "az does not reach Azure: is there a network?";
  return "az account get-access-token fails: az login";
}

function az(args: readonly string[]): Promise<{ stdout: string; stderr: string; code: unknown }> {
  return new Promise((resolve) => {
    execFile("az", args, { timeout: 120_000, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, code: error === null ? 0 : (error.code ?? 1) });
    });
  });
}

/** The claim `oid` of a token that is readable; nothing is checked, since Azure does. */
function objectIdIn(token: string): string | undefined {
  try {
    const { oid } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return typeof oid === "string" && GUID.test(oid) ? oid : undefined;
  } catch {
    return undefined;
  }
}
