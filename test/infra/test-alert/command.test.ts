import { expect } from "chai";
import { Desk, NO_NETWORK } from "../preflight/desk.ts";

describe("npm run test-alert", function () {
  this.timeout(60_000);

  /** Has the stack an action group as somebody may have changed it: with a name that a terminal would obey. */
  function stand({ cloud }: Desk): void {
    const emailReceivers = [{ name: "baker\u001b[2J", emailAddress: "baker@example.com" }];
    const webhookReceivers = [
      { name: "webhook", serviceUri: "https://events.pagerduty.com/integration/SECRET/enqueue" },
    ];
    cloud.create("azure-native:resources:ResourceGroup", "group", {
      resourceGroupName: "tezos-signer-dev",
      location: "northeurope",
    });
    cloud.create("azure-native:monitor:ActionGroup", "people", {
      actionGroupName: "signer-people",
      resourceGroupName: "tezos-signer-dev",
      groupShortName: "signer",
      emailReceivers,
      webhookReceivers,
    });
  }

  it("tells what became of each, shows no address, and ends with 0 where all were sent", async () => {
    await using desk = await Desk.start();
    stand(desk);
    expect(await desk.runCommand("test-alert")).to.deep.equal({
      code: 0,
      errors: "",
      out: [
        "sent      baker?[2J  Completed, Default",
        "sent      webhook  Completed, Default",
        "Azure has sent it, or not: whether it came, look there.\n",
      ].join("\n"),
    });
  });

  it("ends with 1 where one was not sent, and where there is nobody", async () => {
    await using desk = await Desk.start();
    const nobody = await desk.runCommand("test-alert");
    expect([nobody.code, nobody.out]).to.deep.equal([1, ""]);
    expect(nobody.errors).to.match(/^test-alert: Azure has no action group of this stack: [^\n]+\n$/);
    stand(desk);
    desk.cloud.account.unreached.add("webhook");
    const { code, out } = await desk.runCommand("test-alert");
    expect([code, out]).to.satisfy(() => code === 1 && /^not sent {2}webhook/m.test(out), out);
  });

  it("ends with 2 for a stack without a file, and with 3 where nobody is logged in, and without a network", async () => {
    await using desk = await Desk.start();
    const none = await desk.runCommand("test-alert", ["--stack", "none"]);
    expect([none.code, none.errors]).to.deep.equal([
      2,
      "test-alert: there is no stacks/Pulumi.none.yaml: `npm run setup` writes it\n",
    ]);
    const unplugged = await desk.runCommand("test-alert", [], {}, NO_NETWORK);
    expect([unplugged.code, unplugged.errors]).to.deep.equal([
      3,
      "test-alert: https://management.azure.com does not answer: getaddrinfo ENOTFOUND management.azure.com\n",
    ]);
    desk.program("az", `echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`);
    const login = await desk.runCommand("test-alert");
    expect([login.code, login.errors]).to.deep.equal([3, "test-alert: nobody is logged in to Azure: az login\n"]);
  });
});
