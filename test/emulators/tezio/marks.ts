/** A board's own high-water marks: for each key and magic byte, of no chain, and gone without power. */
export class Marks {
  readonly #marks = new Map<string, readonly [level: number, round: number]>();

  /** Moves the mark to where a request is. @returns whether it is above where the mark was */
  raise(p1: number, data: Buffer): boolean {
    const [magic = 0] = data;
    const [level, round] = positionIn(magic, data);
    const name = `${p1} ${magic}`;
    const [highest, last] = this.#marks.get(name) ?? [0, 0];
    if (level < highest || (level === highest && round <= last)) return false;
    this.#marks.set(name, [level, round]);
    return true;
  }
}

/** Whether a request with this magic byte has a mark. */
export const isMarked = (magic: number | undefined) => magic !== undefined && magic >= 0x11 && magic <= 0x13;

function positionIn(magic: number, data: Buffer): readonly [number, number] {
  // Beyond what came the board reads what lies there.
  const whole = Buffer.concat([data, Buffer.alloc(1_024)]);
  if (magic !== 0x11) return [whole.readUInt32BE(40), whole.readUInt32BE(44)];
  const fitness = whole.readUInt32BE(83);
  return [whole.readUInt32BE(5), 83 + fitness + 4 <= whole.length ? whole.readUInt32BE(83 + fitness) : 0];
}
