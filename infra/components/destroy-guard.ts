import * as pulumi from "@pulumi/pulumi";

/**
 * Stops a `pulumi destroy` before it deletes anything.
 *
 * Pulumi deletes what nothing depends on first, so a protected vault alone stops a destroy only after the alerts are
 * gone, and the machine where its last `up` has replaced it. This component depends on them, is protected, and is no
 * resource of Azure: the destroy fails on it first.
 */
export class DestroyGuard extends pulumi.ComponentResource {
  constructor(name: string, guarded: pulumi.Resource[], options?: pulumi.ComponentResourceOptions) {
    const guard = { ...options, protect: true, dependsOn: guarded };
    super("tezos-signer:infra:ProductionStackIsNotDestroyed", name, {}, guard);
    this.registerOutputs({});
  }
}
