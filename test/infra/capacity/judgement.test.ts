import { expect } from "chai";
import { isClosed, type Offer, type OfferedSize, objections, successor } from "../../../infra/capacity/judgement.ts";

const BS = "standardBSFamily";
const BASV2 = "standardBasv2Family";

function size(name: string, family: string, more: Partial<OfferedSize> = {}): OfferedSize {
  const usual = { vCPUs: 2, memoryGB: 1, processor: "x64", generations: ["V1", "V2"], trustedLaunch: true };
  return { name, family, ...usual, refused: undefined, ...more };
}

function offer(sizes: OfferedSize[], more: Partial<Offer> = {}): Offer {
  return { sizes, quotas: new Map(), image: { processor: "x64", generation: "V2" }, ...more };
}

const B1S = size("Standard_B1s", BS, { vCPUs: 1 });
const B2ATS = size("Standard_B2ats_v2", BASV2);
const B2ALS = size("Standard_B2als_v2", BASV2, { memoryGB: 4 });
const ARM = size("Standard_B2pts_v2", "standardBpsv2Family", { processor: "Arm64", generations: ["V2"] });

describe("what Azure would say of a machine, by its own lists", () => {
  it("is nothing where size, image and quota fit, in whatever case Azure writes them", () => {
    const quotas = new Map([["STANDARDBASV2FAMILY", { used: 0, limit: 2 }]]);
    expect(objections("standard_b2ats_V2", offer([B2ATS], { quotas }))).to.deep.equal([]);
  });

  it("names a size that is not there, one that this subscription does not get, and an image that is not there", () => {
    expect(objections("Standard_B1s", offer([B2ATS]))).to.deep.equal(["there is no size Standard_B1s in this region"]);
    const refused = offer([{ ...B1S, refused: "NotAvailableForSubscription" }]);
    expect(objections("Standard_B1s", refused).join()).to.include("(NotAvailableForSubscription)");
    expect(objections("Standard_B1s", offer([B1S], { image: undefined })).join()).to.include("no such image");
  });

  it("names processor, generation and Trusted Launch where they do not fit", () => {
    expect(objections("Standard_B2pts_v2", offer([ARM])).join()).to.include("for x64, and Standard_B2pts_v2 is Arm64");
    const first = offer([B1S], { image: { processor: "x64", generation: "V1" } });
    expect(objections("Standard_B1s", first).join()).to.include("of generation V1");
    const old = offer([{ ...B1S, generations: ["V1"] }]);
    expect(objections("Standard_B1s", old).join()).to.include("does not start images of generation V2");
    const confidential = offer([{ ...B1S, trustedLaunch: false }]);
    expect(objections("Standard_B1s", confidential).join()).to.include("has no Trusted Launch");
  });

  it("counts the vCPUs of the machine that goes as free, in its own family and in the region", () => {
    const quotas = new Map([
      [BS, { used: 1, limit: 1 }],
      [BASV2, { used: 0, limit: 2 }],
      ["cores", { used: 10, limit: 10 }],
    ]);
    const both = offer([B1S, B2ATS], { quotas });
    expect(objections("Standard_B1s", both, "Standard_B1s")).to.deep.equal([]);
    expect(objections("Standard_B1s", both)).to.have.length(2);
    const text = objections("Standard_B2ats_v2", both, "Standard_B1s").join();
    expect(text).to.equal("Standard_B2ats_v2 has 2 vCPUs, and the quota of the region leaves 1 of 10");
  });

  it("gives as a successor the cheapest that is to be had, starts the image and has no less memory", () => {
    expect(successor("Standard_B1s", offer([B1S, B2ALS, B2ATS, ARM]))).to.equal("Standard_B2ats_v2");
    const arm = { image: { processor: "Arm64", generation: "V2" } };
    expect(successor("Standard_B1s", offer([B1S, B2ATS, ARM], arm))).to.equal("Standard_B2pts_v2");
    const two = { ...B1S, name: "Standard_B1ms", memoryGB: 2 };
    expect(successor("Standard_B1ms", offer([two, B2ATS, B2ALS]))).to.equal("Standard_B2als_v2");
    const quotas = new Map([[BASV2, { used: 0, limit: 0 }]]);
    expect(successor("Standard_B1s", offer([B1S, B2ATS, B2ALS], { quotas }))).to.equal(undefined);
    expect(successor("Standard_B1s", offer([B1S, { ...B2ATS, refused: "QuotaId" }]))).to.equal(undefined);
  });

  it("is that a subscription takes nothing new where it only deletes, and where it is in a state that nobody knows", () => {
    const states = ["Enabled", "warned", "PastDue", "Disabled", "Expired", "Deleted", "not there"];
    expect(states.filter(isClosed)).to.deep.equal(states.slice(3));
  });
});
