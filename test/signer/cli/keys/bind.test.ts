import { expect } from "chai";
import { publicKeyFromJwk } from "../../../../signer/tezos/crypto/public-key.ts";
import { type Answers, exitCode, importAnswers, KeysPlace, prose, STORE } from "../../../harness/keys-place.ts";

describe("keys bind", () => {
  let place: KeysPlace;
  const binding = () => ["bind", "--vault", place.vault.url, "--name", "baker", "--store", STORE];
  const answers = (address: string): Answers => [
    [/stopped for good\? \[y\/N\] $/, "y"],
    [/or did it never sign\? \[y\/N\] $/, "y"],
    [/characters of the address: $/, address.slice(-6)],
  ];

  beforeEach(async () => {
    place = await KeysPlace.start();
    await place.run(place.importing(), importAnswers("elsewhere"));
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it("names the store after both questions and the address, and keeps the other tags", async () => {
    place.vault.updateKey("baker", { tags: { "tezos-signer-watermarks": "unbound", owner: "me" } });
    const outcome = await place.run(binding(), answers(place.key.publicKey.address));
    expect(outcome.code, outcome.stderr).to.equal(0);
    const { tags } = (await (await place.asOperator(place.vault.url)).getKey("baker")).properties;
    expect(tags).to.deep.equal({ "tezos-signer-watermarks": STORE, owner: "me" });
  });

  it("changes nothing on any other answer", async () => {
    for (const wrong of [0, 1, 2]) {
      const given = answers(place.key.publicKey.address).map(
        ([prompt, answer], index) => [prompt, index === wrong ? "no" : answer] as const,
      );
      const outcome = await place.run(binding(), given);
      expect(outcome.code).to.equal(exitCode("declined"));
      expect(outcome.stderr).to.include("Nothing was changed");
      expect((await place.content()).baker).to.equal("unbound");
    }
  });

  const secret = Buffer.alloc(32, 5);
  const tagged = (storeId: string) => ({ secret, tags: { "tezos-signer-watermarks": storeId, owner: storeId } });
  /** The store's tag and another one of every version, by name. */
  async function tags(): Promise<string[]> {
    const client = await place.asOperator(place.vault.url);
    const found: string[] = [];
    for (const name of ["copy", "old"]) {
      for await (const { tags: each } of client.listPropertiesOfKeyVersions(name))
        found.push(`${name} ${each?.["tezos-signer-watermarks"]} ${each?.owner}`);
    }
    return found.sort();
  }
  /** A key under two names, as an old version of one of them; all of them disagree. */
  function scattered(): string {
    const { key: made } = place.vault.createKey("copy", tagged("S1"));
    place.vault.createKey("old", { ...tagged("S2"), enabled: false });
    place.vault.createKey("old", { tags: { owner: "another key" } });
    const { crv, x, y } = made as { crv?: string; x?: string; y?: string };
    return publicKeyFromJwk({ crv, x, y }).address;
  }
  const bindingCopy = () => ["bind", "--vault", place.vault.url, "--name", "copy", "--store", STORE];

  it("binds every version of the key, under whatever name, and no other key", async () => {
    const address = scattered();
    const outcome = await place.run(bindingCopy(), answers(address));
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect(prose(outcome.stderr)).to.match(
      /holds it 2 times.*\/copy\/\w+: The store S1.*\/old\/\w+ \(disabled\): The store S2/,
    );
    expect(await tags()).to.deep.equal([`copy ${STORE} S1`, `old ${STORE} S2`, "old undefined another key"]);
    expect((await place.run(bindingCopy(), [])).stderr).to.include("already");
  });

  it("says how many versions are not bound yet when it is cut short, and binds the rest the next time", async () => {
    const address = scattered();
    place.vault.faults.script([{ kind: "status", status: 403, on: "update", key: "old" }]);
    const outcome = await place.run(bindingCopy(), answers(address));
    expect(outcome.code).to.equal(exitCode("refused"));
    expect(prose(outcome.stderr)).to.include("1 of the key's versions is not bound yet").and.include("again");
    expect(await tags())
      .to.include(`copy ${STORE} S1`)
      .and.include("old S2 S2");
    expect((await place.run(bindingCopy(), answers(address))).code).to.equal(0);
    expect(await tags()).to.include(`old ${STORE} S2`);
  });

  it("names what cannot be read, which may be the same key", async () => {
    const address = scattered();
    place.vault.showDisabledKeys(false);
    const outcome = await place.run(bindingCopy(), answers(address));
    expect(outcome.code, outcome.stderr).to.equal(0);
    expect(prose(outcome.stderr)).to.match(/not known whether these are the same key.*\/keys\/old\/[0-9a-f]{32}/);
    expect(await tags()).to.include("old S2 S2");
  });

  it("asks nothing of a key that is bound to that store already", async () => {
    place.vault.updateKey("baker", { tags: { "tezos-signer-watermarks": STORE } });
    const outcome = await place.run(binding(), []);
    expect(outcome.code).to.equal(0);
    expect(outcome.stderr).to.include("already");
  });
});
