import { type ArmError, conflict } from "./arm.ts";
import { text } from "./properties.ts";
import { type Resource, type Subscription, startsWith } from "./subscription.ts";

export const LOCK = "azure-native:authorization:ManagementLockByScope";

/** Locks: what they refuse, and that those against deletion go on to do so for a while after they are gone. */
export class Locks {
  /** How many deletions a lock still refuses once it is deleted itself: Azure takes a while to know everywhere. */
  lingering = 0;
  /** Scopes of deleted locks, with the refusals that are left. */
  readonly #deleted = new Map<string, number>();

  /**
   * Somebody locks something, in the portal or by `az lock create`; what it holds need not be there yet.
   * @param scope id of a subscription, a group or a resource
   * @returns the lock's id
   */
  byHand(cloud: Subscription, scope: string, level: "CanNotDelete" | "ReadOnly", lockName = "somebody-s"): string {
    const id = `${scope}/providers/Microsoft.Authorization/locks/${lockName}`;
    const inputs = { scope, lockName, level };
    cloud.hold({ id, type: LOCK, inputs, outputs: { ...inputs, id, name: lockName } });
    return id;
  }

  /**
   * Judges a deletion. A lock holds for its scope and all below it, and nothing above it can go either (lock-resources).
   * @throws ArmError where a lock refuses it
   */
  allowDeletion({ id, type, inputs }: Resource, cloud: Subscription): void {
    if (type === LOCK) {
      this.#deleted.set(text(inputs, "scope"), this.lingering);
      return;
    }
    const scopes = cloud.ofType(LOCK).map((lock) => text(lock.inputs, "scope"));
    const lingering = [...this.#deleted].filter(([, left]) => left > 0).map(([scope]) => scope);
    const scope = [...scopes, ...lingering].find(
      (scope) => startsWith(`${id}/`, `${scope}/`) || startsWith(scope, `${id}/`),
    );
    if (scope === undefined) return;
    if (!scopes.includes(scope)) this.#deleted.set(scope, (this.#deleted.get(scope) ?? 0) - 1);
    throw locked(id, "delete", scope);
  }

  /**
   * Judges what changes something or takes an action: a lock of the level ReadOnly refuses it, and does not keep itself.
   * @throws ArmError where a lock refuses it
   */
  allowWriting(id: string, type: string, cloud: Subscription): void {
    const scope = cloud
      .ofType(LOCK)
      .filter(({ inputs }) => type !== LOCK && text(inputs, "level") === "ReadOnly")
      .map(({ inputs }) => text(inputs, "scope"))
      .find((scope) => startsWith(`${id}/`, `${scope}/`));
    if (scope !== undefined) throw locked(id, "write", scope);
  }
}

function locked(id: string, operation: "delete" | "write", scope: string): ArmError {
  const message = `The scope '${id}' cannot perform ${operation} operation because following scope(s) are locked: '${scope}'. Please remove the lock and try again.`;
  return conflict("ScopeLocked", message);
}
