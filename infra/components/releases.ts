import { RoleAssignment } from "@pulumi/azure-native/authorization/index.js";
import { Blob, BlobContainer, StorageAccount } from "@pulumi/azure-native/storage/index.js";
import * as pulumi from "@pulumi/pulumi";
import { inGroup, roleDefinitionId, type StackContext } from "./context.ts";
import type { Kinds } from "./kind.ts";

/** What the machine runs: one tar, named by its hash. */
export interface Release {
  readonly version: string;
  /** Of the whole tar, 64 hex digits. */
  readonly sha256: string;
  /** The tar's file name, which ends in the first 12 of them: `tezos-signer-VERSION-HASH12.tar`. */
  readonly name: string;
  readonly source: pulumi.asset.Asset;
}

export interface ReleasesArgs {
  readonly context: StackContext;
  /** Object id of the machine's identity: the one that reads. */
  readonly readerId: pulumi.Input<string>;
  /** The release that the machine is told to run. */
  readonly release: Release;
  /** File names of the releases that the stack holds already: they stay. */
  readonly earlier: readonly string[];
}

/** Storage Blob Data Reader, the built-in role for reading blobs. */
const BLOB_DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

const CONTAINER = "releases";

/**
 * Where the machine fetches its program.
 *
 * The provider writes blobs as a client of the storage service does, with the account's shared key, from wherever `up`
 * runs (pulumi-azure-native#2015). So this account has shared keys and answers the whole network, to those who have a
 * key or a token; the account of the watermarks does neither. Nothing in here is trusted: userData names a release by
 * its hash, and the machine runs no other bytes. So nothing in here is protected or locked either.
 */
export class Releases extends pulumi.ComponentResource {
  /** Where the machine fetches the release. */
  readonly url: pulumi.Output<string>;
  /** The release itself: who names its URL must wait for it. */
  readonly blob: Blob;
  /** By it the machine reads. */
  readonly role: RoleAssignment;

  constructor(name: string, args: ReleasesArgs, options?: pulumi.ComponentResourceOptions) {
    super("tezos-signer:infra:Releases", name, {}, options);
    const { context, release, earlier } = args;
    const resourceGroupName = context.group.name;
    const child = inGroup(this, context);
    const accountName = pulumi.interpolate`tzrel${context.id}`;

    const account = new StorageAccount(
      context.named("release-account"),
      {
        resourceGroupName,
        accountName,
        location: context.location,
        kind: "StorageV2",
        sku: { name: "Standard_LRS" }, // a lost release is uploaded again
        allowSharedKeyAccess: true,
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        enableHttpsTrafficOnly: true,
        minimumTlsVersion: "TLS1_2",
        publicNetworkAccess: "Enabled",
        networkRuleSet: { defaultAction: "Allow" },
        tags: context.tags,
      },
      child,
    );
    const container = new BlobContainer(
      context.named("release-container"),
      { resourceGroupName, accountName: account.name, containerName: CONTAINER, publicAccess: "None" },
      child,
    );
    this.role = new RoleAssignment(
      context.named("release-role"),
      {
        scope: account.id,
        principalId: args.readerId,
        principalType: "ServicePrincipal", // see watermark-table.ts
        roleDefinitionId: roleDefinitionId(account, BLOB_DATA_READER),
      },
      child,
    );
    const blob = (fileName: string, source: pulumi.asset.Asset | undefined) =>
      new Blob(
        context.named(blobResource(fileName)),
        {
          resourceGroupName,
          accountName: account.name,
          containerName: container.name,
          blobName: fileName,
          type: "Block",
          contentType: "application/x-tar",
          ...(source === undefined ? {} : { source }),
        },
        // An earlier release is as it was uploaded: its file need not be on this computer any more.
        source === undefined ? { ...child, ignoreChanges: ["source"] } : child,
      );
    this.blob = blob(release.name, release.source);
    for (const other of earlier.filter((fileName) => fileName !== release.name)) blob(other, undefined);

    // From names, not from the blob's url: a preview of a new blob would not know it, nor what else is in userData.
    this.url = pulumi.interpolate`https://${accountName}.blob.core.windows.net/${CONTAINER}/${release.name}`;
    this.registerOutputs({ url: this.url });
  }
}

/** A release's name in the program: `release-HASH12`. */
function blobResource(fileName: string): string {
  return fileName.replace(/^.*-([0-9a-f]{12})\.tar$/, "release-$1");
}

/** What the plan shows of the releases, beside their account and their role (watermark-table.ts). */
export const RELEASES_KINDS: Kinds = {
  "azure-native:storage:BlobContainer": { word: "releases", name: "containerName", untagged: true },
  "azure-native:storage:Blob": { word: "release, a placeholder", name: "blobName", untagged: true },
};
