/** Bytes that are no well-formed payload: the message begins with the place, counted from the magic byte. */
export class PayloadError extends Error {
  override readonly name = "PayloadError";
  /** Index of the byte where the trouble begins. */
  readonly offset: number;

  constructor(offset: number, problem: string) {
    super(`at byte ${offset}: ${problem}`);
    this.offset = offset;
  }
}

/**
 * Reads a payload from front to back, big-endian, as octez's data-encoding writes it.
 * Nothing is read past the end, and every failure is a PayloadError with its offset.
 */
export class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = offset;
    this.#end = end;
  }

  /** Where the next read begins, counted from the payload's first byte. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Moves on by `length` bytes and returns where they began. */
  #advance(length: number, name: string): number {
    const start = this.#offset;
    if (length > this.#end - start) {
      throw new PayloadError(start, `${name} needs ${count(length)}; left: ${this.#end - start}`);
    }
    this.#offset = start + length;
    return start;
  }

  uint8(name: string): number {
    return this.#bytes.readUInt8(this.#advance(1, name));
  }

  uint16(name: string): number {
    return this.#bytes.readUInt16BE(this.#advance(2, name));
  }

  int32(name: string): number {
    return this.#bytes.readInt32BE(this.#advance(4, name));
  }

  /** An int32 that is never negative on chain: a level or a round (raw_level_repr.ml, round_repr.ml). */
  natural32(name: string): number {
    const start = this.#advance(4, name);
    const value = this.#bytes.readInt32BE(start);
    if (value < 0) throw new PayloadError(start, `${name} is negative`);
    return value;
  }

  int64(name: string): bigint {
    return this.#bytes.readBigInt64BE(this.#advance(8, name));
  }

  /** A view of the next bytes, not a copy. */
  bytes(length: number, name: string): Uint8Array {
    const start = this.#advance(length, name);
    return this.#bytes.subarray(start, start + length);
  }

  /** All bytes that are left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining, "the rest");
  }

  /** An option's or a boolean's byte: 00 or ff and nothing else. */
  flag(name: string): boolean {
    const start = this.#offset;
    const byte = this.uint8(name);
    if (byte === 0x00) return false;
    if (byte === 0xff) return true;
    throw new PayloadError(start, `${name} begins with ${hex(byte)}, neither 00 (absent) nor ff (present)`);
  }

  /** A part with its length before it (4 bytes): a reader of that part alone. */
  part(name: string): Reader {
    const start = this.#advance(4, `the length of ${name}`);
    const length = this.#bytes.readUInt32BE(start);
    if (length > this.remaining) {
      throw new PayloadError(start, `${name} is said to have ${count(length)}; left: ${this.remaining}`);
    }
    const begin = this.#advance(length, name);
    return new Reader(this.#bytes, begin, begin + length);
  }

  /** Reads items until this reader's end; an item that takes no byte cannot be, so this ends. */
  list<Item>(read: (reader: this) => Item): Item[] {
    const items: Item[] = [];
    while (this.remaining > 0) items.push(read(this));
    return items;
  }

  /**
   * A natural number in Zarith's form: seven bits a byte, the low ones first, the high bit says that more follow.
   * @param maxBytes longest form that the protocol reads, where it has a bound
   * @throws PayloadError for a form that is not the shortest, as octez does
   */
  natural(name: string, maxBytes = Number.POSITIVE_INFINITY): bigint {
    return this.#zarith(name, 7, maxBytes).magnitude;
  }

  /** An integer in Zarith's form: the first byte has six bits of it and, above them, the sign. */
  integer(name: string, maxBytes = Number.POSITIVE_INFINITY): bigint {
    const start = this.#offset;
    const { first, magnitude } = this.#zarith(name, 6, maxBytes);
    if ((first & 0x40) === 0) return magnitude;
    if (magnitude === 0n) throw new PayloadError(start, `${name} is a negative zero`);
    return -magnitude;
  }

  #zarith(name: string, firstBits: 6 | 7, maxBytes: number): { first: number; magnitude: bigint } {
    const start = this.#offset;
    const first = this.uint8(name);
    // By way of a text of bits, so that a number as long as the payload takes no more than linear time.
    let bits = toBits(first, firstBits);
    for (let byte = first, length = 1; byte >= 0x80; length++) {
      if (length === maxBytes) throw new PayloadError(start, `${name} has more than ${count(maxBytes)}`);
      byte = this.uint8(name);
      if (byte === 0) throw new PayloadError(this.#offset - 1, `${name} is not in its shortest form`);
      bits = toBits(byte, 7) + bits;
    }
    return { first, magnitude: BigInt(`0b${bits}`) };
  }

  /** @throws PayloadError when bytes are left: `what` should have ended here */
  end(what: string): void {
    if (this.remaining === 0) return;
    throw new PayloadError(this.#offset, `${what} ends here; left over: ${count(this.remaining)}`);
  }
}

/** Writes a byte as two hex digits, for messages. */
export function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** The lowest bits of a byte, as a text of zeros and ones. */
function toBits(byte: number, width: 6 | 7): string {
  return (byte & (2 ** width - 1)).toString(2).padStart(width, "0");
}

function count(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}
