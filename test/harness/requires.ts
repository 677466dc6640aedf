import type { Context } from "mocha";

/** Tests that could not run on this computer, by full title, with the reason; the reporter prints them. */
export const skipped = new Map<string, string>();

/** Skips the running test where `present` is false; in CI it fails instead, since there everything must run. */
export function requires(context: Context, present: boolean, reason: string): void {
  if (present) return;
  const test = context.test ?? context.currentTest;
  const title = test?.fullTitle() ?? "a test";
  if (process.env.CI === "true") throw new Error(`${reason}; CI must provide it`);
  skipped.set(title, reason);
  context.skip();
}
