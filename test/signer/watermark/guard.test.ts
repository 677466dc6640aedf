import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { SignerError } from "../../../signer/errors.ts";
import type { Row, RowKey, WatermarkStore } from "../../../signer/watermark/stores/store.ts";
import { BLOCK_KEY, digestOf, KEY, NEVER } from "../../fixtures/watermark-rows.ts";
import { FaultyStore } from "../../harness/faulty-store.ts";
import { GuardedSigner } from "../../harness/guarded-signer.ts";
import { heldDeadline } from "../../harness/held-deadline.ts";
import { rejection } from "../../harness/rejection.ts";
import { STORE_KINDS, type StorePlace } from "../../harness/watermark-stores.ts";

const SIGNATURE = /^[0-9a-f]{128}$/;

for (const kind of STORE_KINDS) {
  describe(`double-signing guard on ${kind.name}`, () => {
    let place: StorePlace;
    let backend: WatermarkStore;
    let store: FaultyStore;
    let signer: GuardedSigner;
    beforeEach(async () => {
      place = await kind.place();
      backend = await place.open();
      store = new FaultyStore(backend);
      signer = new GuardedSigner(store);
    });
    afterEach(async () => {
      await backend.close();
      await place[Symbol.asyncDispose]();
    });

    /** The signer as after a crash: another process, nothing remembered. */
    async function restart(): Promise<void> {
      await backend.close();
      backend = await place.open();
      store = new FaultyStore(backend);
      signer = new GuardedSigner(store);
    }

    /** Moves a row on, as another signer of the key does. */
    async function overtake(key: RowKey, level: number): Promise<void> {
      const state = await backend.read(key, NEVER);
      if (state === undefined) throw new Error("no row");
      await backend.replace(
        key,
        { level, round: 0, digest: digestOf("bb"), anchor: { level, at: 0 } },
        state.version,
        NEVER,
      );
    }

    for (const operation of ["block", "preattestation", "attestation"] as const) {
      describe(operation, () => {
        it("is signed upwards: levels, and rounds at a level", async () => {
          for (const [level, round] of [
            [10, 0],
            [10, 1],
            [10, 7],
            [11, 0],
            [500, 3],
          ] as const) {
            expect(await signer.outcome({ kind: operation, level, round })).to.match(SIGNATURE);
          }
        });

        it("is refused below, and at the same position with other bytes, also after a restart", async () => {
          await signer.ask({ kind: operation, level: 10, round: 1 });
          for (let time = 0; time < 2; time++) {
            expect(await signer.outcome({ kind: operation, level: 9, round: 5 })).to.equal("position-below-watermark");
            expect(await signer.outcome({ kind: operation, level: 10, round: 0 })).to.equal("position-below-watermark");
            expect(await signer.outcome({ kind: operation, level: 10, round: 1, bytes: "b" })).to.equal(
              "position-already-signed",
            );
            await restart();
          }
        });

        it("gets the same signature for the same bytes, without asking the key again", async () => {
          const first = await signer.ask({ kind: operation, level: 10 });
          const again = await signer.ask({ kind: operation, level: 10 });
          expect(again).to.deep.equal({ signature: first.signature, source: "kept" });
          expect(signer.signed).to.equal(1);
        });

        it("gets a signature for the same bytes at another signer of the store, where the first one has died", async () => {
          const { signature } = await signer.ask({ kind: operation, level: 10 });
          const other = new GuardedSigner(store);
          const again = await other.outcome({ kind: operation, level: 10 });
          expect(again).to.match(SIGNATURE);
          if (operation === "block") expect(again).to.equal(signature);
          expect(await other.outcome({ kind: operation, level: 10, bytes: "b" })).to.equal("position-already-signed");
        });

        it("can be signed again by its bytes, and not by others, where the key failed after the reservation", async () => {
          signer.before = () => {
            throw new SignerError("vault-unavailable", "by script");
          };
          expect(await signer.outcome({ kind: operation, level: 10 })).to.equal("vault-unavailable");
          signer.before = () => undefined;
          expect(await signer.outcome({ kind: operation, level: 10, bytes: "b" })).to.equal("position-already-signed");
          expect(await signer.outcome({ kind: operation, level: 10 })).to.match(SIGNATURE);
        });

        it("gets a signature of its own where the row's last one is remembered and the key failed for the next", async () => {
          const { signature } = await signer.ask({ kind: operation, level: 10 });
          signer.before = () => {
            throw new SignerError("vault-unavailable", "by script");
          };
          expect(await signer.outcome({ kind: operation, level: 11 })).to.equal("vault-unavailable");
          signer.before = () => undefined;
          const next = await signer.ask({ kind: operation, level: 11 });
          expect(next.source).to.equal("signed");
          expect(next.signature).not.to.equal(signature);
          expect(signer.signed).to.equal(2);
        });

        it("leaves the process alive where the key fails after the reservation was refused, for whatever reason", async () => {
          for (const [level, fault, code] of [
            [10, "overtaken", "position-below-watermark"],
            [30, "unavailable", "watermark-unavailable"],
            [40, "untrusted", "watermark-untrusted"],
          ] as const) {
            signer = new GuardedSigner(store, { deadline: fault === "unavailable" ? 200 : 4_000 });
            await signer.ask({ kind: operation, level: level - 1 });
            const { promise: held, reject: fail } = Promise.withResolvers<void>();
            signer.before = () => held;
            if (fault === "overtaken") await overtake({ ...KEY, kind: operation }, 20);
            else store.always = (call) => (call === "replace" ? fault : undefined);
            expect(await signer.outcome({ kind: operation, level }), fault).to.equal(code);
            store.always = () => undefined;
            // Mocha fails the test at a rejection that nobody handles.
            fail(new SignerError("vault-unavailable", "by script"));
            await setImmediate();
          }
        });

        it("is released once in twenty identical requests at once, to all of them", async () => {
          // The row is known, or the making of store and row would let one be done before the others begin.
          await signer.ask({ kind: operation, level: 9 });
          const outcomes = await Promise.all(
            Array.from({ length: 20 }, () => signer.outcome({ kind: operation, level: 10 })),
          );
          expect(new Set(outcomes).size).to.equal(1);
          expect(signer.signed).to.equal(2);
        });

        it("is released for one of twenty different bytes at once", async () => {
          await signer.ask({ kind: operation, level: 9 });
          const outcomes = await Promise.all(
            Array.from({ length: 20 }, (_, index) =>
              signer.outcome({ kind: operation, level: 10, bytes: String(index) }),
            ),
          );
          expect(outcomes.filter((outcome) => SIGNATURE.test(outcome))).to.have.length(1);
        });

        it("is signed though the reservation's answer was lost", async () => {
          await signer.ask({ kind: operation, level: 9 });
          store.next("replace", "applied-unavailable");
          expect(await signer.outcome({ kind: operation, level: 10 })).to.match(SIGNATURE);
          expect(signer.signed).to.equal(2);
        });

        it("is signed though the reservation was not done at first", async () => {
          await signer.ask({ kind: operation, level: 9 });
          store.next("replace", "unavailable", "unavailable");
          expect(await signer.outcome({ kind: operation, level: 10 })).to.match(SIGNATURE);
        });

        it("is signed though the first row's insert was lost, done or not", async () => {
          store.next("insert", "applied-unavailable");
          expect(await signer.outcome({ kind: operation, level: 10 })).to.match(SIGNATURE);
          store.next("insert", "unavailable");
          expect(await signer.outcome({ kind: operation, level: 10, address: "tz2other" })).to.match(SIGNATURE);
        });

        it("is not released while its reservation is not confirmed", async () => {
          using deadline = heldDeadline();
          signer = new GuardedSigner(store, { deadline: deadline.milliseconds });
          store.next("insert", "silence");
          const asked = signer.outcome({ kind: operation, level: 10 });
          while (!store.calls.includes("insert") || signer.signed === 0) await sleep(2);
          deadline.end();
          expect(await asked).to.equal("watermark-unavailable");
        });

        it("drops an answer of the key that comes after the attempt was closed", async () => {
          using deadline = heldDeadline();
          signer = new GuardedSigner(store, { deadline: deadline.milliseconds });
          const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
          signer.before = () => held;
          const late = signer.outcome({ kind: operation, level: 10 });
          while (!store.answered.includes("insert")) await sleep(2);
          deadline.end();
          expect(await late).to.equal("vault-unavailable");
          signer.before = () => undefined;
          const { signature } = await signer.ask({ kind: operation, level: 10 });
          letGo();
          await sleep(50);
          expect(await signer.outcome({ kind: operation, level: 10 })).to.equal(signature);
        });

        it("gives up after five lost races, to be asked again", async () => {
          await signer.ask({ kind: operation, level: 9 });
          store.next("replace", "conflict", "conflict", "conflict", "conflict", "conflict");
          expect(await signer.outcome({ kind: operation, level: 10 })).to.equal("watermark-unavailable");
          expect(await signer.outcome({ kind: operation, level: 10 })).to.match(SIGNATURE);
        });

        it("survives four lost races within one request", async () => {
          await signer.ask({ kind: operation, level: 9 });
          store.next("replace", "conflict", "conflict", "conflict", "conflict");
          expect(await signer.outcome({ kind: operation, level: 10 })).to.match(SIGNATURE);
        });

        it("is answered `unavailable` in an outage, and `already signed` never", async () => {
          await signer.ask({ kind: operation, level: 9 });
          store.always = () => "unavailable";
          using deadline = heldDeadline();
          signer = new GuardedSigner(store, { deadline: deadline.milliseconds });
          const before = store.calls.length;
          const asked = signer.outcome({ kind: operation, level: 10 });
          while (store.calls.length < before + 3) await sleep(2);
          deadline.end();
          expect(await asked).to.equal("watermark-unavailable");
          store.always = () => undefined;
          expect(await signer.outcome({ kind: operation, level: 10 })).to.match(SIGNATURE);
        });
      });
    }

    it("keeps blocks, preattestations and attestations apart, and keys and levels too", async () => {
      for (const operation of ["block", "preattestation", "attestation"] as const) {
        for (const address of ["tz3one", "tz3two"]) {
          expect(await signer.outcome({ kind: operation, level: 10, address })).to.match(SIGNATURE);
        }
      }
    });

    it("asks each key for itself where two are asked for the same bytes at once", async () => {
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
      signer.before = () => held;
      const both = ["tz3one", "tz3two"].map((address) => signer.ask({ kind: "block", level: 10, address }));
      letGo();
      const [one, two] = await Promise.all(both);
      expect(one?.signature).not.to.equal(two?.signature);
      expect(signer.signed).to.equal(2);
    });

    it("returns a block's stored signature after a restart", async () => {
      const { signature } = await signer.ask({ kind: "block", level: 10 });
      await restart();
      expect(await signer.ask({ kind: "block", level: 10 })).to.deep.equal({ signature, source: "kept" });
      expect(signer.signed).to.equal(0);
    });

    it("stores a block's signature before it releases it", async () => {
      const { signature } = await signer.ask({ kind: "block", level: 10 });
      expect((await backend.read(BLOCK_KEY, NEVER))?.row.signature).to.equal(signature);
    });

    it("hands out a signature that another signer stored only while the row still has it, whatever it remembers", async () => {
      const bytes = { kind: "block", level: 10 } as const;
      const other = new GuardedSigner(store);
      const { signature } = await other.ask(bytes);
      // By these the signer learns of the row.
      expect(await signer.outcome({ ...bytes, bytes: "b" })).to.equal("position-already-signed");
      store.calls.length = 0;
      expect(await signer.ask(bytes)).to.deep.equal({ signature, source: "kept" });
      expect(await signer.ask(bytes)).to.deep.equal({ signature, source: "kept" });
      expect(store.calls).to.deep.equal(["read"]);

      const next = { kind: "block", level: 11 } as const;
      await other.ask(next);
      signer = new GuardedSigner(store);
      expect(await signer.outcome({ ...next, bytes: "b" })).to.equal("position-already-signed");
      await overtake(BLOCK_KEY, 12);
      expect(await signer.outcome(next)).to.equal("position-below-watermark");
      expect(signer.signed).to.equal(0);
    });

    it("releases the signature that the row holds where the answer to storing it was lost, done or not", async () => {
      for (const fault of ["applied-unavailable", "unavailable"] as const) {
        // The row is new, so its reservation is an insert.
        store.next("replace", fault);
        const { signature } = await signer.ask({ kind: "block", level: 10, address: `tz2${fault}` });
        const kept = await backend.read({ ...BLOCK_KEY, address: `tz2${fault}` }, NEVER);
        expect(kept?.row.signature, fault).to.equal(signature);
      }
    });

    it("does not release a block whose row has moved on before its signature was stored", async () => {
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
      signer.before = ({ round }) => (round === 1 ? undefined : held);
      const slow = signer.outcome({ kind: "block", level: 10, round: 0 });
      await sleep(30);
      expect(await signer.outcome({ kind: "block", level: 10, round: 1 })).to.match(SIGNATURE);
      letGo();
      expect(await slow).to.equal("position-below-watermark");
    });

    it("reads a row once, then one write a vote and two a block", async () => {
      await signer.ask({ level: 9 });
      await signer.ask({ kind: "block", level: 9 });
      store.calls.length = 0;
      await signer.ask({ level: 10 });
      expect(store.calls).to.deep.equal(["replace"]);
      store.calls.length = 0;
      await signer.ask({ kind: "block", level: 10 });
      expect(store.calls).to.deep.equal(["replace", "replace"]);
      store.calls.length = 0;
      await signer.ask({ kind: "block", level: 10 });
      expect(store.calls).to.deep.equal([]);
    });

    it("asks the key while the reservation is under way, not after it", async () => {
      await signer.ask({ level: 9 });
      const { promise: asked, resolve } = Promise.withResolvers<void>();
      // Not done before the key was asked: whoever asks it after the reservation waits for ever.
      store.next("replace", { once: asked });
      signer.before = () => resolve();
      expect(await signer.outcome({ level: 10 })).to.match(SIGNATURE);
    });

    it("refuses a jump to the highest level, and moves nothing", async () => {
      signer = new GuardedSigner(store, { maxStep: 100 });
      await signer.ask({ level: 1_000 });
      expect(await signer.outcome({ level: 2 ** 31 - 1 })).to.equal("level-implausible");
      expect(await signer.outcome({ level: 1_102 })).to.equal("level-implausible");
      expect(signer.signed).to.equal(1);
      expect((await backend.read(KEY, NEVER))?.row.level).to.equal(1_000);
      expect(await signer.outcome({ level: 1_100 })).to.match(SIGNATURE);
    });

    it("lets nobody push a mark step by step beyond what time explains", async () => {
      const now = Date.now();
      signer = new GuardedSigner(store, { maxStep: 100, clock: () => now });
      await signer.ask({ level: 1_000 });
      expect(await signer.outcome({ level: 1_050 })).to.match(SIGNATURE);
      expect(await signer.outcome({ level: 1_100 })).to.match(SIGNATURE);
      expect(await signer.outcome({ level: 1_150 })).to.equal("level-implausible");
      expect((await backend.read(KEY, NEVER))?.row.level).to.equal(1_100);
    });

    it("stops hard where its row went back, also in the middle of a race, and stays stopped", async () => {
      await signer.ask({ level: 10 });
      const state = await backend.read(KEY, NEVER);
      if (state === undefined) throw new Error("no row");
      await backend.replace(KEY, { ...state.row, level: 9 }, state.version, NEVER);
      expect(await signer.outcome({ level: 11 })).to.equal("watermark-untrusted");
      expect(await signer.outcome({ level: 12 })).to.equal("watermark-untrusted");
      expect([...signer.trusted.stops.values()].join()).to.include("the store went back");
      expect(await signer.outcome({ kind: "block", level: 12 }), "what is true of one row").to.equal(
        "watermark-untrusted",
      );
    });

    it("signs nothing at a position whose digest is not known", async () => {
      await backend.establish("id", NEVER);
      await backend.insert(KEY, { level: 10, round: 0, anchor: { level: 10, at: Date.now() } }, NEVER);
      expect(await signer.outcome({ level: 10 })).to.equal("position-already-signed");
      expect(await signer.outcome({ level: 10, round: 1 })).to.match(SIGNATURE);
    });

    describe("with a vote that was reserved, and whose key did not answer,", () => {
      beforeEach(async () => {
        await signer.ask({ level: 99 });
        signer.before = () => {
          throw new SignerError("vault-unavailable", "by script");
        };
        expect(await signer.outcome({ level: 100 })).to.equal("vault-unavailable");
        signer.before = () => undefined;
        store.calls.length = 0;
      });

      /** Another signer, or an import, behind this one's back. */
      async function meanwhile(change: Partial<Row>): Promise<void> {
        const state = await backend.read(KEY, NEVER);
        if (state === undefined) throw new Error("no row");
        await backend.replace(KEY, { ...state.row, ...change }, state.version, NEVER);
      }

      it("signs it by one more compare-and-set on what the store holds now", async () => {
        expect(await signer.outcome({ level: 100 })).to.match(SIGNATURE);
        expect(store.calls).to.deep.equal(["replace"]);
      });

      it("refuses it once a higher position was reserved elsewhere", async () => {
        await meanwhile({ level: 101 });
        expect(await signer.outcome({ level: 100 })).to.equal("position-below-watermark");
      });

      it("refuses it once other bytes of its position were signed elsewhere", async () => {
        await meanwhile({ digest: digestOf("d2") });
        // What it remembers has another digest now, which is a hard stop and no signature either.
        expect(await signer.outcome({ level: 100 })).to.equal("watermark-untrusted");
      });

      it("refuses it once an import left open which bytes of its position were signed", async () => {
        const state = await backend.read(KEY, NEVER);
        if (state === undefined) throw new Error("no row");
        const { digest: _, ...row } = state.row;
        await backend.replace(KEY, row, state.version, NEVER);
        expect(await signer.outcome({ level: 100 })).to.equal("position-already-signed");
      });
    });

    it("hands an unforeseen error on, and serves the next request", async () => {
      signer.before = () => {
        throw new TypeError("a bug");
      };
      expect((await rejection(signer.ask({ level: 10 }), TypeError)).message).to.equal("a bug");
      signer.before = () => undefined;
      expect(await signer.outcome({ level: 10 })).to.match(SIGNATURE);
    });

    if (kind.shared) {
      describe("with a second signer on the same store", () => {
        let other: GuardedSigner;
        beforeEach(async () => {
          other = new GuardedSigner(await place.open());
        });

        it("releases one digest of a position, whoever is asked first", async () => {
          await signer.ask({ level: 9 });
          await other.outcome({ level: 9 }); // both know the row
          for (let level = 10; level < 20; level++) {
            const outcomes = await Promise.all([
              signer.outcome({ level, bytes: "a" }),
              other.outcome({ level, bytes: "b" }),
            ]);
            expect(outcomes.filter((outcome) => SIGNATURE.test(outcome))).to.have.length(1);
          }
        });

        it("releases one signature of a block's bytes, the same by both", async () => {
          for (let level = 10; level < 20; level++) {
            const [a, b] = await Promise.all([
              signer.outcome({ kind: "block", level }),
              other.outcome({ kind: "block", level }),
            ]);
            expect(a).to.match(SIGNATURE);
            expect(a).to.equal(b);
          }
        });

        it("refuses what the other has passed meanwhile", async () => {
          await signer.ask({ level: 10 });
          await other.ask({ level: 20 });
          expect(await signer.outcome({ level: 15 })).to.equal("position-below-watermark");
          expect(await signer.outcome({ level: 20, bytes: "b" })).to.equal("position-already-signed");
        });

        it("finishes a block whose first signer died after the reservation", async () => {
          signer.before = () => new Promise(() => undefined);
          void signer.ask({ kind: "block", level: 10 }).catch(() => undefined);
          while ((await backend.read(BLOCK_KEY, NEVER)) === undefined) await sleep(2);
          expect(await other.outcome({ kind: "block", level: 10 })).to.match(SIGNATURE);
        });
      });
    }
  });
}
