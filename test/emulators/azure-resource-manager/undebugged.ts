/**
 * Spares a program that runs in this process what Pulumi's runtime does for whoever debugs it: a call to the engine for each
 * debug message, and a printed stack for each promise. That is a third of what a run of the program costs here; programs
 * that Pulumi itself starts do it all.
 * @module
 */
import { createRequire } from "node:module";

interface Debuggable {
  debuggablePromise<T>(promise: Promise<T>, context: unknown): Promise<T>;
}

// Both are looked up in their modules at each call.
const require = createRequire(import.meta.url);
const log = require("@pulumi/pulumi/log/index.js") as { debug(): Promise<void> };
const debuggable = require("@pulumi/pulumi/runtime/debuggable.js") as Debuggable;
const { debuggablePromise } = debuggable;

log.debug = () => Promise.resolve();
debuggable.debuggablePromise = (promise, context) => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return debuggablePromise(promise, context);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};
