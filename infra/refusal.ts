import * as pulumi from "@pulumi/pulumi";

/** Ends a program with a sentence: Pulumi prints the message of a RunError, and the stack trace of any other. */
export class Refusal extends pulumi.RunError {
  constructor(message: string) {
    super(message);
    // Pulumi writes the name of each property that waited for it before the message: none is of use here.
    Object.defineProperty(this, "message", { get: () => message, set: () => undefined });
  }
}
