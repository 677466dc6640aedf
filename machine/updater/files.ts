import type { Sha256 } from "./disk.ts";
import type { Parameters } from "./machine-files.ts";
import type { UpgradeParts } from "./parts.ts";

/** Keeps the machine's own files at those of the release in use: linked, and in force. */
export class Files {
  readonly #parts: UpgradeParts;
  /** One at a time: each leaves the files of one release in force. */
  #applying: Promise<boolean> = Promise.resolve(true);

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** Links the files of a release that is in use now, and removes links to what only the other one had. */
  link(sha256: Sha256, other: Sha256 | undefined): void {
    const { disk, files } = this.#parts;
    files.link(disk.place(sha256));
    files.unlinkDead([sha256, ...(other === undefined ? [] : [other])].map((each) => disk.place(each)));
  }

  /**
   * Puts the files of the release in use, and what the stack says about the machine, in force; does nothing where they are.
   * @param parameters undefined where userData cannot be read now: what it said last stays
   * @returns whether they are in force
   */
  inForce(sha256: Sha256, parameters: Parameters | undefined): Promise<boolean> {
    this.#applying = this.#applying.then(async () => {
      const { state, files, apply } = this.#parts;
      const told = files.set(parameters);
      const { applied } = state.now;
      if (applied?.sha256 === sha256 && applied.parameters === told) return true;
      state.tell({ applied: null });
      if (!(await apply())) return false;
      state.tell({ applied: { sha256, parameters: told } });
      return true;
    });
    return this.#applying;
  }
}
