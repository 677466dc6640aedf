import * as pulumi from "@pulumi/pulumi";

/**
 * Stops a `pulumi destroy` before it deletes anything.
 *
 * Pulumi deletes what nothing depends on first, so a protected vault alone stops a destroy only after the machine and
 * the alerts are gone. This component depends on them, is protected, and is no resource of Azure: the destroy fails on
 * it first. The machine itself cannot be protected, since then no upgrade could replace it.
 */
export class DestroyGuard extends pulumi.ComponentResource {
  constructor(name: string, guarded: pulumi.Resource[], options?: pulumi.ComponentResourceOptions) {
    const guard = { ...options, protect: true, dependsOn: guarded };
    super("tezos-signer:infra:ProductionStackIsNotDestroyed", name, {}, guard);
    this.registerOutputs({});
  }
}
