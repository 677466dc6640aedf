import { setImmediate as nextTurn } from "node:timers/promises";
import { p256 } from "@noble/curves/nist.js";
import { expect } from "chai";
import { ATTRIBUTES, CLASSES, RETURN_CODES, TOKEN_FLAGS } from "../../../../signer/keys/pkcs11/codes.ts";
import type { Attribute, Cryptoki } from "../../../../signer/keys/pkcs11/driver.ts";
import { EC_PARAMS } from "../../../../signer/keys/pkcs11/ec-key.ts";
import { TokenFault } from "../../../../signer/keys/pkcs11/fault.ts";
import { Token } from "../../../../signer/keys/pkcs11/token.ts";
import { DIGEST } from "./open-token.ts";

type Values = Readonly<Record<number, Buffer>>;

const handle = (number: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes;
};
const number = (bytes: Buffer) => Number(bytes.readBigUInt64LE());
const refuse = (code: number) => Object.assign(new Error("a token's"), { code });
const point = (multiple: bigint) => Buffer.from(p256.Point.BASE.multiply(multiple).toBytes(false));

/** A library with what a test gives it: labels of tokens by their slots, objects by their handles, sessions that are left. */
class Library implements Partial<Cryptoki> {
  readonly calls: string[] = [];
  readonly #labels: readonly (string | number)[];
  readonly #objects: readonly Values[];
  readonly #flags: number;
  #sessions: number;
  #found: Buffer[] = [];

  constructor({
    labels = ["mine"],
    objects = [],
    sessions = 4,
    flags = 0,
  }: {
    /** A number is the code by which the slot says what is wrong with it. */
    readonly labels?: readonly (string | number)[];
    readonly objects?: readonly Values[];
    readonly sessions?: number;
    /** What a token says of itself besides that it is initialised. */
    readonly flags?: number;
  }) {
    this.#labels = labels;
    this.#objects = objects;
    this.#sessions = sessions;
    this.#flags = flags;
  }

  open(tokenLabel = "mine"): Token {
    return Token.open(this as unknown as Cryptoki, { module: "", tokenLabel }, "1234");
  }

  C_GetSlotList(): Buffer[] {
    return this.#labels.map((_, slot) => handle(slot));
  }

  C_GetTokenInfo(slot: Buffer) {
    const label = this.#labels[number(slot)] ?? "";
    if (typeof label === "number") throw refuse(label);
    return { label: label.includes("\0") ? label : label.padEnd(32), flags: TOKEN_FLAGS.INITIALIZED | this.#flags };
  }

  C_OpenSession(): Buffer {
    if (this.#sessions === 0) throw refuse(RETURN_CODES.SESSION_COUNT);
    this.#sessions -= 1;
    return handle(this.#sessions);
  }

  C_Login(): void {
    this.calls.push("login");
  }

  C_FindObjectsInit(_: Buffer, template: readonly Attribute[]): void {
    const isLike = (values: Values) =>
      template.every(({ type, value }) => {
        const own = values[type];
        if (type === ATTRIBUTES.CLASS) return own?.[0] === value;
        return value instanceof Uint8Array ? own?.equals(value) === true : true;
      });
    this.#found = this.#objects.flatMap((values, at) => (isLike(values) ? [handle(at)] : []));
  }

  C_FindObjects(): Buffer[] {
    return this.#found.splice(0);
  }

  C_FindObjectsFinal(): void {}

  C_GetAttributeValue(_: Buffer, object: Buffer, [{ type } = { type: 0 }]: readonly Attribute[]) {
    this.calls.push(`read ${number(object)}`);
    const value = this.#objects[number(object)]?.[type];
    if (value === undefined) throw refuse(RETURN_CODES.ATTRIBUTE_TYPE_INVALID);
    return [{ value }];
  }

  C_SignInit(_: Buffer, __: unknown, key: Buffer): void {
    this.calls.push(`sign ${number(key)}`);
  }

  async C_SignAsync(): Promise<Buffer> {
    return Buffer.alloc(64);
  }
}

/** A private key and its public one. @param id CKA_ID; absent: none, nor a label */
const pair = (multiple: bigint, id?: string): readonly Values[] => {
  const name = id === undefined ? {} : { [ATTRIBUTES.ID]: Buffer.from(id) };
  const params = { [ATTRIBUTES.EC_PARAMS]: EC_PARAMS["P-256"], [ATTRIBUTES.EC_POINT]: point(multiple) };
  return [
    { [ATTRIBUTES.CLASS]: Buffer.of(CLASSES.PRIVATE_KEY), ...params, ...name },
    { [ATTRIBUTES.CLASS]: Buffer.of(CLASSES.PUBLIC_KEY), ...params, ...name },
  ];
};

describe("a PKCS#11 token", () => {
  it("is found beside a slot whose token its library does not know, and by a label that ends as C's texts do", async () => {
    const { keys } = await new Library({ labels: [RETURN_CODES.TOKEN_NOT_RECOGNIZED, "mine"] }).open().find();
    expect(keys).to.deep.equal([]);
    new Library({ labels: [`mine${"\0".repeat(28)}`] }).open();
  });

  it("is missed in the words of the slot that does not tell its label", () => {
    const open = () => new Library({ labels: ["other", RETURN_CODES.DEVICE_REMOVED] }).open();
    expect(open).to.throw(TokenFault, "CKR_DEVICE_REMOVED");
  });

  for (const [flag, said] of [
    ["USER_PIN_FINAL_TRY", "The token would lock at the next wrong PIN"],
    ["USER_PIN_LOCKED", "The token is locked"],
  ] as const) {
    it(`is given no PIN while it says ${flag}`, () => {
      const library = new Library({ flags: TOKEN_FLAGS[flag] });
      expect(() => library.open())
        .to.throw(TokenFault, `${said}: its flags say so, and no PIN was tried.`)
        .with.property("kind", "pin-locked");
      expect(library.calls).to.deep.equal([]);
    });
  }

  it("is not chosen from two of one label", () => {
    const open = () => new Library({ labels: ["mine", "other", "mine"] }).open();
    expect(open).to.throw(TokenFault, 'There are 2 tokens labelled "mine"');
  });

  it("is used with the sessions that it has left, and not without one", async () => {
    const token = new Library({ sessions: 1, objects: pair(1n, "a") }).open();
    await token.find();
    await token.sign(point(1n).toString("hex"), DIGEST);
    expect(() => new Library({ sessions: 0 }).open()).to.throw(TokenFault, "CKR_SESSION_COUNT");
  });

  it("leaves out keys that share an id, since nothing tells which public key is whose", async () => {
    const [first = {}] = pair(1n, "a");
    const { keys, skipped } = await new Library({ objects: [first, ...pair(2n, "a"), ...pair(3n, "b")] }).open().find();
    expect(keys.map(({ id }) => id)).to.deep.equal([Buffer.from("b").toString("hex")]);
    expect(skipped.map(({ reason }) => reason)).to.deep.equal(
      Array(2).fill("several keys of the token have its id or label: give each key an id of its own"),
    );
  });

  it("shows keys that have no name and tell their points themselves", async () => {
    const { keys } = await new Library({ objects: [...pair(1n), ...pair(2n)] }).open().find();
    expect(keys.map((key) => Buffer.from(key.point))).to.deep.equal([point(1n), point(2n)]);
  });

  it("signs while a look at its many keys is under way", async () => {
    const library = new Library({
      objects: Array.from({ length: 50 }, (_, at) => pair(BigInt(at + 1), `${at}`)).flat(),
    });
    const token = library.open();
    await token.find();
    library.calls.length = 0;
    const looking = token.find();
    // Questions come from the signer's process one by one, not within a turn.
    await nextTurn();
    await token.sign(point(1n).toString("hex"), DIGEST);
    await looking;
    expect(library.calls.indexOf("sign 0")).to.be.lessThan(library.calls.indexOf("read 98"));
  });
});
