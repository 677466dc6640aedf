import { expect } from "chai";
import { amongValid, refusesSize } from "../../../infra/capacity/refused-size.ts";

const IMAGE = { publisher: "Canonical", offer: "ubuntu-24_04-lts", sku: "server", version: "latest" };

/** As azure-native prints them; the words are Azure's own, from its pages and public reports. */
const REFUSALS = [
  "Status=409 Code=\"SkuNotAvailable\" Message=\"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_B1s' is currently not available in location 'westeurope'.\"",
  'Status=409 Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding approved standardBSFamily Cores quota. Additional details - Deployment Model: Resource Manager"',
  'Status=409 Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding approved Total Regional Cores quota."',
  'Status=400 Code="QuotaExceeded" Message="Operation results in exceeding quota limits of Core. Maximum allowed: 4, Current in use: 4, Additional requested: 2."',
  'Status=409 Code="OperationNotAllowed" Message="Operation results in exceeding quota limits of Core. Maximum allowed: 4, Current in use: 4, Additional requested: 2."',
  'Code="NotAvailableForSubscription" Message="This size is currently unavailable in this location for this subscription"',
  'Code="AllocationFailed" Message="Allocation failed. We do not have sufficient capacity for the requested VM size in this region."',
  'Code="ZonalAllocationFailed" Message="Allocation failed. We do not have sufficient capacity for the requested VM size in this zone."',
  'Code="OverconstrainedAllocationRequest" Message="Allocation failed. VM(s) with the following constraints cannot be allocated"',
  'Code="OverconstrainedZonalAllocationRequest" Message="Allocation failed. VM(s) with the following constraints cannot be allocated"',
  'Code="OverConstrainedAllocationRequest" Message="The required VM size is not currently available in the selected location."',
  'Status=400 Code="InvalidParameter" Message="The requested VM size Standard_B1s is not available in the current region. Find out more on the available VM sizes in each region at https://aka.ms/azure-regions."',
  'Status=400 Code="InvalidParameter" Message="The requested VM size Standard_B1s is not available in the current region. The sizes available in the current region are: Standard_A1_v2,Standard_B2pts_v2,Standard_B2ats_v2. Find out more on the available VM sizes in each region at https://aka.ms/azure-regions."',
  'Status=400 Code="InvalidParameter" Message="The value Standard_B1s provided for the VM size is not valid. The valid sizes in the current region are: Standard_A1_v2,Standard_B2pts_v2,Standard_B2ats_v2."',
];

describe("an error of Azure", () => {
  it("says that there is no such machine to be had, by each of the codes that it has for that", () => {
    for (const refusal of REFUSALS) expect(refusesSize(refusal), refusal).to.equal(true);
  });

  it("says something else by the same code", () => {
    for (const other of [
      'Code="OperationNotAllowed" Message="Unable to resize the VM since changing from resource disk to non-resource disk VM size and vice-versa is not allowed."',
      'Code="OperationNotAllowed" Message="Changing property \'osProfile\' is not allowed."',
      'Code="InvalidParameter" Message="The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid."',
      'Code="ResourceQuotaExceeded" Message="Creating the resource of type Microsoft.Compute/virtualMachines would exceed the quota of 800 resources of type Microsoft.Compute/virtualMachines per resource group."',
      "Code=\"OperationNotAllowed\" Message=\"Operation 'PUT' is not allowed on VM 'signer' since the VM is marked for deletion.\"",
      'Code="AuthorizationFailed" Message="The client does not have authorization."',
    ]) {
      expect(refusesSize(other), other).to.equal(false);
    }
  });

  it("lists the sizes of the region, and the cheapest that starts the image is taken from it", () => {
    const listings = REFUSALS.slice(-2);
    for (const listing of listings) {
      expect(amongValid(listing, "Standard_B1s", IMAGE), listing).to.equal("Standard_B2ats_v2");
      expect(amongValid(listing, "Standard_B1s", { ...IMAGE, sku: "server-arm64" })).to.equal("Standard_B2pts_v2");
      expect(amongValid(listing, "Standard_B2ats_v2", IMAGE)).to.equal(undefined);
    }
    expect(amongValid(REFUSALS[0] ?? "", "Standard_B1s", IMAGE)).to.equal(undefined);
  });
});
