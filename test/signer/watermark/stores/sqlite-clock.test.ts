import { existsSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { SignerError } from "../../../../signer/errors.ts";
import { TrustedStore } from "../../../../signer/watermark/trusted-store.ts";
import { BLOCK_KEY, KEY, NEVER } from "../../../fixtures/watermark-rows.ts";
import { rejection } from "../../../harness/rejection.ts";
import { raise, SqlitePlace } from "../../../harness/sqlite-place.ts";

const HOUR = 3_600_000;

describe("sqlite store's clock", () => {
  let place: SqlitePlace;
  let now: number;
  const { now: dateNow } = Date;
  const { now: performanceNow } = performance;
  beforeEach(() => {
    place = new SqlitePlace();
    now = Date.now();
  });
  afterEach(async () => {
    setClock(0);
    await place[Symbol.asyncDispose]();
  });

  /** As a process sees it that was started after the clock was set. */
  function setClock(hours: number): void {
    Date.now = () => dateNow() + hours * HOUR;
    performance.now = () => performanceNow.call(performance) + hours * HOUR;
  }

  /** The code of what a start says that finds something missing, with a window that ended ten minutes ago. */
  async function startAfterWindow(keys = [KEY]): Promise<string> {
    const initialise = { level: 1_000, until: now - HOUR / 6 };
    const wasThere = existsSync(place.path);
    const trusted = new TrustedStore({ store: place.open(), initialise, clock: Date.now });
    const { code } = await rejection(trusted.prepare(keys, NEVER), SignerError);
    expect(existsSync(place.path), "the file was made").to.equal(wasThere);
    return code;
  }

  it("goes with this computer's clock", async () => {
    expect(await place.open().now()).to.be.closeTo(Date.now(), 60_000);
    setClock(5);
    expect(await place.open().now()).to.be.closeTo(now + 5 * HOUR, 60_000);
  });

  it("never goes back while a process lives", async () => {
    const store = place.open();
    setClock(5);
    await store.now();
    setClock(-2);
    expect(await store.now()).to.be.closeTo(now + 5 * HOUR, 60_000);
  });

  it("is not set back under a process that runs, whatever it has asked before", async () => {
    Date.now = () => dateNow() - 2 * HOUR;
    rmSync(place.folder, { recursive: true });
    expect(await place.open().now()).to.be.closeTo(now, 60_000);
  });

  it("stops hard, and makes nothing, where the window has passed, the file is lost and the clock is two hours back", async () => {
    await place.made();
    rmSync(place.path);
    setClock(-2);
    expect(await startAfterWindow()).to.equal("watermark-untrusted");
  });

  it("does so where the witness is lost with the file, too, as long as their folder is there", async () => {
    await place.made();
    rmSync(place.path);
    rmSync(`${place.path}.seen`);
    setClock(-2);
    expect(await startAfterWindow()).to.equal("watermark-missing");
  });

  it("does so where a mark is missing in a file that is there", async () => {
    await place.made();
    setClock(-2);
    expect(await startAfterWindow([KEY, BLOCK_KEY])).to.equal("watermark-missing");
  });

  it("knows the newest time that the signer before has seen", async () => {
    setClock(5);
    const store = await place.started();
    await raise(store, 101);
    await store.close();
    setClock(0);
    const next = place.open();
    await next.identity();
    expect(await next.now()).to.be.closeTo(now + 5 * HOUR, 60_000);
  });

  it("knows when something in the folder was written, whatever time a program has given it", async () => {
    const file = join(place.folder, "of another program");
    writeFileSync(file, "");
    const changedAt = (path: string) => Math.floor(statSync(path).ctimeMs);
    while (changedAt(file) <= changedAt(place.folder)) utimesSync(file, 1, 4_000_000_000);
    setClock(-2);
    expect(await place.open().now()).to.equal(changedAt(file));
  });

  it("opens the window of a first run", async () => {
    const initialise = { level: 1_000, until: now + HOUR };
    const trusted = new TrustedStore({ store: place.open(), initialise, clock: Date.now });
    await trusted.prepare([KEY], NEVER);
    expect(trusted.marks.size).to.equal(1);
  });
});
