import { changed, inPlaceOf, type Look, ofVault, status, twist } from "./twists.ts";

/** What somebody changed beside Pulumi, as it is seen from here. */
export const FROM_HERE: Look = {
  part: "looks",
  faults: [
    {
      row: "port 6732",
      says: "stop the machine until you know why",
      breaks: ({ ways }) => {
        ways[6732] = "open";
      },
    },
    {
      row: "port 22",
      says: "it answers this computer",
      breaks: ({ ways }) => {
        ways[22] = "open";
      },
    },
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
        for (const { permissions } of ofVault(inputs).accessPolicies) permissions.keys.push("Delete");
      }),
    },
    {
      row: "watermarks' account",
      says: "it takes shared keys",
      breaks: changed("/tezos0123456789abcdef", (inputs) => {
        inputs.allowSharedKeyAccess = true;
      }),
    },
    {
      row: "releases' account",
      says: "blobs of it may be public",
      breaks: changed("/tzrel0123456789abcdef", (inputs) => {
        inputs.allowBlobPublicAccess = true;
      }),
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
      breaks: (world) => {
        world.changed = ["vault (tags)"];
      },
    },
  ],
};
