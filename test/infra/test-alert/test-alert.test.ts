import { expect } from "chai";
import { NobodyTold, sendTestAlert } from "../../../infra/test-alert/test-alert.ts";
import { Cloud } from "../../emulators/azure-resource-manager/cloud.ts";
import { Management } from "../../emulators/azure-resource-manager/management.ts";
import "../../emulators/azure-resource-manager/management-endpoint.ts";
import { EVERYTHING, plan } from "../../fixtures/stack-configs.ts";
import { resource } from "../components/planned.ts";

describe("a test alert", () => {
  let cloud: Cloud;
  let management: Management;
  let inputs: Readonly<Record<string, unknown>>;

  before(async () => {
    ({ inputs } = resource(await plan(EVERYTHING), "people"));
  });
  beforeEach(async () => {
    cloud = new Cloud();
    management = await Management.start(cloud);
  });
  afterEach(() => management.close());

  const id = () => `${cloud.subscription}/resourceGroups/dev/providers/Microsoft.Insights/actionGroups/signer-people`;
  const send = () => sendTestAlert(id(), { token: cloud.managementToken ?? "" }, 1);
  function stand(more: Readonly<Record<string, unknown>> = {}): void {
    const group = { resourceGroupName: "dev", location: "northeurope" };
    cloud.create("azure-native:resources:ResourceGroup", "group", group);
    cloud.create("azure-native:monitor:ActionGroup", "people", { ...inputs, ...more, resourceGroupName: "dev" });
  }
  const refusal = () =>
    send().then(
      () => undefined,
      (error: Error) => error,
    );

  it("goes to all whom the stack's alerts go to, and Azure's word for each is told", async () => {
    stand();
    cloud.account.looksUntilNotified = 3;
    expect(await send()).to.deep.equal([
      { receiver: "baker", isSent: true, says: "Completed, Default" },
      { receiver: "webhook", isSent: true, says: "Completed, Default" },
    ]);
    expect(cloud.account.notified).to.deep.equal(["baker", "webhook"]);
  });

  it("tells whom Azure did not reach", async () => {
    stand();
    cloud.account.unreached.add("webhook");
    expect((await send()).map(({ receiver, isSent }) => `${receiver} ${isSent}`)).to.deep.equal([
      "baker true",
      "webhook false",
    ]);
  });

  it("says what to set where there is nobody, and sends nothing", async () => {
    expect(await refusal())
      .to.be.instanceOf(NobodyTold)
      .with.property("message")
      .that.includes("monitoring true");
    stand({ emailReceivers: [], webhookReceivers: [] });
    expect(await refusal())
      .to.be.instanceOf(NobodyTold)
      .with.property("message")
      .that.includes("alertEmail ADDRESS");
    expect(management.asked.some((line) => line.startsWith("POST"))).to.equal(false);
  });

  it("says Azure's code where it is refused, as it is to a free subscription, and no address", async () => {
    stand();
    cloud.account.quotaId = "FreeTrial_2014-09-01";
    expect((await refusal())?.message)
      .to.match(/createNotifications: 403 Forbidden$/)
      .and.not.include("pagerduty");
  });

  it("gives its token to no other host, wherever Azure says that the end is told", async () => {
    stand();
    cloud.account.faults.push({
      path: /createNotifications$/,
      status: 202,
      headers: { location: "https://evil.example/notificationStatus/1" },
    });
    expect((await refusal())?.message).to.include("its end is not at https://management.azure.com");
  });

  it("ends where Azure says nothing of an end", async () => {
    stand();
    cloud.account.faults.push({ path: /createNotifications$/, status: 202 });
    expect((await refusal())?.message).to.match(/does not say what became of the test alert/);
  });
});
