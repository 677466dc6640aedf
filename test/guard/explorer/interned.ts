/** Values by number: equal values have equal numbers, so that a whole world is a few numbers. */
export class Interned<T> {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #values: T[] = [];

  of(value: T): number {
    const text = JSON.stringify(value);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#values.push(value) - 1;
      this.#texts.push(text);
      this.#numbers.set(text, number);
    }
    return number;
  }

  value(number: number): T {
    return this.#values[number] as T;
  }

  text(number: number): string {
    return this.#texts[number] as string;
  }
}

/** The worlds that were met, as four numbers each, and which amounts spent there are covered (a bit for each amount). */
export class MetWorlds {
  #numbers = new Int32Array(4 * 2 ** 16);
  #covered = new Uint32Array(2 ** 16);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * Notes that a world is explored from here on.
   * @param amount the bit of what was spent on the way
   * @param covers the bits of it and of all that is more
   * @returns whether this is anything new
   */
  meet(a: number, b: number, c: number, d: number, amount: number, covers: number): boolean {
    if (this.#size * 2 > this.#covered.length) this.#grow();
    const at = this.#find(a, b, c, d);
    const before = this.#covered[at] ?? 0;
    if ((before & amount) !== 0) return false;
    if (before === 0) {
      this.#put(at, a, b, c, d);
      this.#size += 1;
    }
    this.#covered[at] = before | covers;
    return true;
  }

  #put(at: number, a: number, b: number, c: number, d: number): void {
    this.#numbers[4 * at] = a;
    this.#numbers[4 * at + 1] = b;
    this.#numbers[4 * at + 2] = c;
    this.#numbers[4 * at + 3] = d;
  }

  /** Where it is, or the free place where it belongs. */
  #find(a: number, b: number, c: number, d: number): number {
    const numbers = this.#numbers;
    const covered = this.#covered;
    const mask = covered.length - 1;
    let mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x297a2d39);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x165667b1);
    for (let at = (mixed ^ (mixed >>> 15)) & mask; ; at = (at + 1) & mask) {
      if (covered[at] === 0) return at;
      const n = 4 * at;
      if (numbers[n] === a && numbers[n + 1] === b && numbers[n + 2] === c && numbers[n + 3] === d) return at;
    }
  }

  #grow(): void {
    const numbers = this.#numbers;
    const covered = this.#covered;
    this.#numbers = new Int32Array(2 * numbers.length);
    this.#covered = new Uint32Array(2 * covered.length);
    for (let from = 0; from < covered.length; from += 1) {
      const bits = covered[from] ?? 0;
      if (bits === 0) continue;
      const [a = 0, b = 0, c = 0, d = 0] = numbers.subarray(4 * from, 4 * from + 4);
      const at = this.#find(a, b, c, d);
      this.#put(at, a, b, c, d);
      this.#covered[at] = bits;
    }
  }
}
