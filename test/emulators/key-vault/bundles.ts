import type { DeletedKey, KeyVersion } from "./key-store.ts";

/** The JSON shapes in which the service shows keys (azure-sdk-for-js recordings; REST reference 2025-07-01). */
export class Bundles {
  readonly #url: string;
  readonly #recoverableDays: number;

  constructor(url: string, recoverableDays: number) {
    this.#url = url;
    this.#recoverableDays = recoverableDays;
  }

  kid(version: KeyVersion): string {
    return `${this.#url}/keys/${version.name}/${version.version}`;
  }

  bundle(version: KeyVersion) {
    const { kty } = version.key;
    return {
      key: { kid: this.kid(version), kty, key_ops: version.keyOps, ...version.key.publicJwk },
      attributes: this.#attributes(version),
      ...this.#tags(version),
    };
  }

  /** An item of /keys: its kid has no version. An item of /versions has one. */
  item(version: KeyVersion, withVersion: boolean) {
    const kid = withVersion ? this.kid(version) : `${this.#url}/keys/${version.name}`;
    return { kid, attributes: this.#attributes(version), ...this.#tags(version) };
  }

  deletion(name: string, deleted: DeletedKey) {
    return {
      recoveryId: `${this.#url}/deletedkeys/${name}`,
      deletedDate: deleted.deletedDate,
      scheduledPurgeDate: deleted.scheduledPurgeDate,
    };
  }

  #attributes(version: KeyVersion) {
    const { enabled, nbf, exp, created, updated, exportable } = version;
    return {
      enabled,
      ...(nbf === undefined ? {} : { nbf }),
      ...(exp === undefined ? {} : { exp }),
      created,
      updated,
      recoveryLevel: "CustomizedRecoverable+Purgeable",
      recoverableDays: this.#recoverableDays,
      exportable,
      hsmPlatform: version.key.kty.endsWith("HSM") ? "2" : "0",
    };
  }

  #tags(version: KeyVersion) {
    return Object.keys(version.tags).length === 0 ? {} : { tags: version.tags };
  }
}
