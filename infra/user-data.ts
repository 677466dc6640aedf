/**
 * What the machine is told: which release it runs, how it is set up, and the signer's settings.
 * Azure changes it in place, and the machine reads it again and again. Never a secret: every process there can read it.
 * Pure.
 * @module
 */
import { MAINTENANCE } from "../signer/contract.ts";

/** Which release, and how the machine gets at it. */
export interface ReleaseReference {
  readonly version: string;
  /** 64 hex digits: what was fetched is run only where it has this hash. */
  readonly sha256: string;
  readonly url: string;
  /** Client id of the machine's identity, which may read the release. */
  readonly clientId: string;
}

/** Who may reach the machine, beside the baker. */
export interface MachineAccess {
  /** Whether sshd runs. */
  readonly ssh: boolean;
  /** IPv4 addresses and blocks that may read the metrics port. */
  readonly metrics: readonly string[];
}

/**
 * Returns the document as text: JSON on one line in a fixed order, so that an equal one is equal bytes.
 * Its outer form is read by every release, older ones included: fields may come, none may change or go.
 * @param settings the signer's settings, JSON
 * @param maintenance when upgrades are installed, and the machine restarts if one asks for it: HH:MM in UTC, every day
 */
export function userData(
  { version, sha256, url, clientId }: ReleaseReference,
  { ssh, metrics }: MachineAccess,
  settings: string,
  maintenance: string = MAINTENANCE,
): string {
  const machine = { ssh, maintenance, ...(metrics.length === 0 ? {} : { metrics }) };
  return JSON.stringify({ release: { version, sha256, url, clientId }, machine, settings: JSON.parse(settings) });
}
