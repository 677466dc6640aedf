import { expect } from "chai";
import { Desk, NO_NETWORK, SECRET } from "./desk.ts";

describe("npm run preflight", function () {
  this.timeout(60_000);

  it("tells every row, ends with 0 where all are ok, and says what to type next", async () => {
    await using desk = await Desk.start();
    const { code, out, errors } = await desk.run();
    expect(errors).to.equal("");
    expect(out).to.match(
      new RegExp(`^Stack dev, subscription ${desk.subscription}. Nothing was changed.\n\n  ok {9}subscription `),
    );
    expect(out).to.match(/\n\n34 of 34 ok: npm run up\n$/);
    expect(code).to.equal(0);
  });

  it("tells a script by --json and by 1 what is not ok", async () => {
    await using desk = await Desk.start();
    desk.cloud.account.unregistered.add("Microsoft.KeyVault");
    const { code, out } = await desk.run(["--stack", "dev", "--json"]);
    const { stack, rows } = JSON.parse(out);
    expect(stack).to.equal("dev");
    expect(rows.filter(({ verdict }: { verdict: string }) => verdict !== "ok")).to.deep.equal([
      {
        name: "provider KeyVault",
        verdict: "not ok",
        says: "Microsoft.KeyVault is NotRegistered",
        mend: "az provider register --wait --namespace Microsoft.KeyVault",
      },
    ]);
    expect(code).to.equal(1);
  });

  /** What is missing, and the one sentence. */
  const NOTHING: Readonly<
    Record<string, (desk: Desk) => Promise<[ended: { code: number; out: string; errors: string }, says: RegExp]>>
  > = {
    "nobody is logged in": async (desk) => {
      desk.program("az", `echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`);
      return [await desk.run(), /^nobody is logged in to Azure: az login$/];
    },
    "there is no az": async (desk) => {
      desk.take("az");
      return [
        await desk.run(),
        /^az is not on PATH, and no ARM_ variables are set: docs\/deploy\.md says how to install it$/,
      ];
    },
    "the login has ended": async (desk) => {
      desk.program(
        "az",
        `echo "ERROR: AADSTS70043: The refresh token ${SECRET} has expired. Please run az login" >&2; exit 1`,
      );
      return [await desk.run(), /^the login has ended, or Azure wants it again \(AADSTS70043\): az login$/];
    },
    "az reaches nothing": async (desk) => {
      desk.program(
        "az",
        `echo "ERROR: HTTPSConnectionPool: Failed to resolve 'login.microsoftonline.com'" >&2; exit 1`,
      );
      return [await desk.run(), /^az does not reach Azure: is there a network\?$/];
    },
    "az prints something else": async (desk) => {
      desk.program("az", `echo "A new version of az is there: ${SECRET}"`);
      return [await desk.run(), /^az account get-access-token does not print what it should/];
    },
    "there is no network": async (desk) => [
      await desk.run([], {}, NO_NETWORK),
      /^https:\/\/management\.azure\.com does not answer: getaddrinfo ENOTFOUND management\.azure\.com$/,
    ],
    "the login is of another tenant": async (desk) => {
      const header = `Bearer authorization_uri="https://login.windows.net/${desk.cloud.tenant}", error="invalid_token"`;
      const body =
        '{"error":{"code":"InvalidAuthenticationTokenTenant","message":"The access token is from the wrong issuer"}}';
      desk.cloud.account.faults.push({ path: /./, status: 401, body, headers: { "www-authenticate": header } });
      const says = `^the login is of another tenant than subscription ${desk.subscription}: az login --tenant ${desk.cloud.tenant}$`;
      return [await desk.run(), new RegExp(says)];
    },
    "the login has no such subscription": async (desk) => {
      desk.cloud.subscription = "/subscriptions/99999999-0000-4000-8000-000000000000";
      return [await desk.run(), /^this login has no subscription [0-9a-f-]{36}: az account set --subscription NAME$/];
    },
    "the stack stands in another subscription": async (desk) => {
      const own = "88888888-0000-4000-8000-000000000000";
      const group = {
        type: "azure-native:resources:ResourceGroup",
        id: `/subscriptions/${own}/resourceGroups/tezos-signer-dev`,
      };
      const state = JSON.stringify({ version: 3, deployment: { resources: [{ urn: "a::b::c::group", ...group }] } });
      desk.program("pulumi", `case "$*" in *show-name*) echo dev;; *) echo '${state}';; esac`);
      const says = `^subscription ${desk.subscription} is selected, and the signer stands in ${own}: az account set --subscription ${own}$`;
      return [await desk.run(), new RegExp(says)];
    },
    "the login may not read the subscription": async (desk) => {
      desk.cloud.account.faults.push({ path: /./, status: 403, body: '{"error":{"code":"AuthorizationFailed"}}' });
      const says =
        /^this login may not read subscription [0-9a-f-]{36}; somebody who may give roles gives it one: az role assignment create --assignee OBJECT-ID --role Contributor --scope \/subscriptions\/[0-9a-f-]{36}$/;
      return [await desk.run(), says];
    },
    "the token is taken no more": async (desk) => {
      desk.cloud.account.faults.push({ path: /./, status: 401, body: "" });
      return [await desk.run(), /^Azure does not take this login any more \(401\): az login$/];
    },
    "Azure is down": async (desk) => {
      desk.cloud.account.faults.push({ path: /./, status: 503, body: "no" });
      return [
        await desk.run(),
        /^Azure does not say what the stack has already, so try again in a minute \(.+: 503\)$/,
      ];
    },
    "half of the ARM_ variables are set": async (desk) => [
      await desk.run([], { ARM_CLIENT_SECRET: SECRET, ARM_CLIENT_ID: "x" }),
      /^ARM_CLIENT_SECRET is set, and ARM_TENANT_ID and ARM_SUBSCRIPTION_ID is not: Pulumi needs all of them$/,
    ],
  };

  for (const [what, run] of Object.entries(NOTHING)) {
    it(`says in one sentence that ${what}, and ends with 3`, async () => {
      await using desk = await Desk.start();
      const [{ code, out, errors }, says] = await run(desk);
      expect(errors).to.match(/^preflight: [^\n]+\n$/);
      expect(errors.slice("preflight: ".length).trim()).to.match(says);
      expect(out).to.equal("");
      expect(code).to.equal(3);
    });
  }

  it("takes no token from az where the variables of a service principal are set", async () => {
    await using desk = await Desk.start();
    desk.program("az", "echo no >&2; exit 1");
    const guid = "11111111-2222-4333-8444-555555555555";
    const { errors, code } = await desk.run(
      [],
      { ARM_CLIENT_SECRET: SECRET, ARM_CLIENT_ID: guid, ARM_TENANT_ID: "not a tenant", ARM_SUBSCRIPTION_ID: guid },
      NO_NETWORK,
    );
    expect(errors).to.match(
      /^preflight: Azure gives no token to what the ARM_ variables name \(\w+\): check them, or unset them and log in with az login\n$/,
    );
    expect(code).to.equal(3);
  });

  it("ends with 2 for a wrong option, a stack without a file, and a configuration with mistakes", async () => {
    await using desk = await Desk.start();
    const wrong = await desk.run(["--stak", "dev"]);
    expect([wrong.code, wrong.errors.split("\n")[0]]).to.deep.equal([2, "Unknown option '--stak'"]);
    const none = await desk.run(["--stack", "none"]);
    expect(none.errors).to.equal("preflight: there is no stacks/Pulumi.none.yaml: `npm run setup` writes it\n");
    expect(none.code).to.equal(2);
    for (const [text, says] of [
      ["config: [", /^preflight: stacks\/Pulumi\.dev\.yaml: is no YAML: /],
      ["config:\n  tezos-signer:bakerIp: 1.2.3\n", /^preflight: stacks\/Pulumi\.dev\.yaml: [\s\S]*bakerIp/],
      [
        "config:\n  tezos-signer:location: { secure: v1 }\n",
        /^preflight: [^\n]+ encrypted; nothing in this stack is a secret/,
      ],
    ] as const) {
      desk.configure(text);
      const { code, out, errors } = await desk.run();
      expect([code, out]).to.deep.equal([2, ""]);
      expect(errors)
        .to.match(says)
        .and.not.match(/^\s+at /m);
    }
  });

  it("ends with 2 where Pulumi names no stack, or does not tell of it: what stands is not taken for nothing", async () => {
    await using desk = await Desk.start();
    desk.program("pulumi", "exit 1");
    expect((await desk.run()).errors).to.match(/^preflight: no stack is selected: /);
    const refuses = (words: string) => desk.program("pulumi", `echo "error: ${words}" >&2; exit 6`);
    refuses("PULUMI_ACCESS_TOKEN must be set");
    expect((await desk.run()).errors).to.match(
      /^preflight: Pulumi does not say which stack is selected: PULUMI_ACCESS_T/,
    );
    const unread = await desk.run(["--stack", "dev"]);
    expect([unread.code, unread.errors]).to.deep.equal([
      2,
      "preflight: Pulumi does not tell what it remembers of the stack: PULUMI_ACCESS_TOKEN must be set\n",
    ]);
    refuses("no stack named 'dev' found");
    expect((await desk.run(["--stack", "dev"])).code).to.equal(0);
  });

  it("--help says what it does, and asks nobody", async () => {
    await using desk = await Desk.start();
    desk.program("az", "exit 9");
    const { code, out } = await desk.run(["--help"]);
    expect(out).to.match(/^npm run preflight -- \[--stack NAME\] \[--json\]\n/);
    expect(code).to.equal(0);
  });
});
