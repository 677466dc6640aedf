import type { Sha256 } from "./disk.ts";
import type { UpgradeParts } from "./parts.ts";
import type { Named } from "./state.ts";

/** How a run ended: `again` where something outside was in the way, and the same is to be tried later. */
export type End = "done" | "again";

/** Why a run stops where userData names another release, or other settings, than the ones that it began with. */
export const CHANGED = "userData has changed";

/** Notes what is in the way, and says it once. */
export function later({ state, say }: Pick<UpgradeParts, "state" | "say">, problem: string): End {
  if (state.now.problem !== problem) say(`waiting: ${problem}`);
  state.tell({ step: "waiting", problem });
  return "again";
}

/** Names a release on the disk. */
export function named({ disk, versionAt }: Pick<UpgradeParts, "disk" | "versionAt">, sha256: Sha256): Named {
  return { version: versionAt(disk.place(sha256)), sha256 };
}

/** Names a release as people read it. */
export function inWords({ version, sha256 }: Named): string {
  return `release ${version} (${sha256.slice(0, 12)})`;
}
