import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { StatementSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import type { SqliteStore } from "../../../../signer/watermark/stores/sqlite.ts";
import { KEY, rowAt } from "../../../fixtures/watermark-rows.ts";
import { requires } from "../../../harness/requires.ts";
import { hardStop, raise, SqlitePlace } from "../../../harness/sqlite-place.ts";

const ROOT = join(import.meta.dirname, "../../../..");

describe("sqlite store's file", () => {
  let place: SqlitePlace;
  let folder: string;
  let path: string;
  beforeEach(() => {
    place = new SqlitePlace();
    ({ folder, path } = place);
  });
  afterEach(() => place[Symbol.asyncDispose]());

  describe("by another name", () => {
    it("is opened where a symbolic link leads, with all that lies beside it, and named so", async () => {
      await place.made();
      mkdirSync(join(folder, "elsewhere"));
      const link = join(folder, "elsewhere", "link.sqlite");
      symlinkSync(path, link);
      const store = place.open(link);
      await raise(store, 101);
      expect(existsSync(`${path}-wal`)).to.equal(true);
      rmSync(`${path}-wal`);
      expect(await hardStop(raise(store, 102))).to.match(new RegExp(`^${path}-wal was removed or replaced`));
      expect(
        (
          await place
            .open(link)
            .read(KEY)
            .catch(() => undefined)
        )?.row.level,
      ).to.be.oneOf([undefined, 101]);
    });

    it("is made behind a link to its folder, and is found there when the link leads elsewhere", async () => {
      mkdirSync(join(folder, "real"));
      symlinkSync("real", join(folder, "link"));
      const store = place.open(join(folder, "link", "w.sqlite"));
      await store.establish("id-1");
      await store.close();
      expect(await place.open(join(folder, "real", "w.sqlite")).identity()).to.equal("id-1");
    });

    it("stops hard where a folder's link leads elsewhere while it is in use: no later start would find the marks", async () => {
      mkdirSync(join(folder, "one"));
      mkdirSync(join(folder, "two"));
      symlinkSync("one", join(folder, "link"));
      const store = place.open(join(folder, "link", "w.sqlite"));
      await store.establish("id-1");
      await store.insert(KEY, rowAt(100));
      rmSync(join(folder, "link"));
      symlinkSync("two", join(folder, "link"));
      expect(await hardStop(store.read(KEY))).to.include("was removed or replaced while it was in use");
    });

    it("stops hard at a link that leads nowhere, which is no first run", async () => {
      symlinkSync(join(folder, "gone", "w.sqlite"), path);
      expect(await hardStop(place.open().identity())).to.include("is a symbolic link that leads nowhere");
      expect(await hardStop(place.open().establish("id-1"))).to.include("is a symbolic link that leads nowhere");
    });

    it("is the file of the folder that was current first, wherever the process goes", async () => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        const store = place.open("watermarks.sqlite");
        process.chdir("/");
        await store.establish("id-1");
      } finally {
        process.chdir(before);
      }
      expect(existsSync(path)).to.equal(true);
    });

    it("stops hard at a second name, in words", async () => {
      await place.made();
      linkSync(path, join(folder, "second"));
      const message = await hardStop(place.open().identity());
      expect(message).to.include(path).and.include("has another name (a hard link)").and.include("find -samefile");
      rmSync(join(folder, "second"));
      expect(await place.open().identity()).to.equal("id-1");
    });

    it("stops hard at a second name that it gets while it is in use", async () => {
      const store = await place.started();
      linkSync(path, join(folder, "second"));
      expect(await hardStop(store.read(KEY))).to.include("has another name (a hard link)");
    });

    it("is not stopped by the draft that it was made from, left by a process killed just then", async () => {
      await place.made();
      linkSync(path, `${path}.12345.new`);
      writeFileSync(`${path}.12346.new`, "the draft of another one, at work");
      expect(await place.open().identity()).to.equal("id-1");
      expect(existsSync(`${path}.12345.new`)).to.equal(false);
      expect(existsSync(`${path}.12346.new`)).to.equal(true);
    });
  });

  it("says which folder is not there, where it is to be made", async () => {
    const store = place.open(join(folder, "not-mounted", "watermarks.sqlite"));
    expect(await store.identity()).to.equal(undefined);
    const message = await hardStop(store.establish("id-1"));
    expect(message)
      .to.include(`there is no folder ${join(folder, "not-mounted")}`)
      .and.not.include("ENOENT");
  });

  it("stops hard at a folder in its place, which is what Docker makes of a file that it does not find", async () => {
    mkdirSync(path);
    const message = await hardStop(place.open().identity());
    expect(message)
      .to.include(`${path} is a folder`)
      .and.include(`${join(path, "watermarks.sqlite")}, by \`watermarks.path\``);
  });

  describe("mounted", () => {
    const STORE = join(ROOT, "signer/watermark/stores/sqlite.ts");

    /** What a store says of its identity in a namespace where `mounts` were made, `$0` being the folder. */
    function inNamespace(mounts: string, file: string, flags: readonly string[] = []): string {
      const script = `
        import { SqliteStore } from ${JSON.stringify(STORE)};
        const store = new SqliteStore(${JSON.stringify(file)});
        console.log(await store.identity().catch((error) => error.fault + " " + error.message));
        await store.close();`;
      writeFileSync(join(folder, "store.ts"), script);
      const { stdout, stderr } = spawnSync(
        "unshare",
        [
          "--map-root-user",
          "--mount",
          "sh",
          "-ec",
          `${mounts}; exec "$@"`,
          folder,
          process.execPath,
          ...flags,
          join(folder, "store.ts"),
        ],
        { encoding: "utf8" },
      );
      expect(stderr).to.equal("");
      return stdout;
    }

    beforeEach(async function () {
      const { status } = spawnSync("unshare", ["--map-root-user", "--mount", "true"]);
      requires(this, status === 0, "no file system may be mounted here (unshare)");
      await place.made();
      mkdirSync(join(folder, "in a container"));
    });

    it("as a single file stops hard, in words, and leaves nothing beside it", () => {
      const file = join(folder, "in a container", "w.sqlite");
      writeFileSync(file, "");
      const said = inNamespace('mount --bind "$0/watermarks.sqlite" "$0/in a container/w.sqlite"', file);
      expect(said).to.match(
        /^untrusted .*w\.sqlite is mounted without its folder.*mount the folder that holds w\.sqlite/,
      );
      expect(existsSync(`${file}-wal`)).to.equal(false);
    });

    it("with its log as a second file stops hard as well", () => {
      writeFileSync(`${path}-wal`, "");
      writeFileSync(join(folder, "log"), "");
      expect(inNamespace('mount --bind "$0/log" "$0/watermarks.sqlite-wal"', path)).to.include("is mounted without");
    });

    it("with its folder is as good as any", () => {
      const file = join(folder, "in a container", "watermarks.sqlite");
      expect(inNamespace('mount --bind "$0" "$0/in a container"', file)).to.equal("id-1\n");
    });

    it("is served where nothing says what is mounted", () => {
      const read = [ROOT, folder].map((each) => `--allow-fs-read=${each}`);
      const flags = ["--permission", ...read, `--allow-fs-write=${folder}`];
      expect(inNamespace("true", path, flags)).to.equal("id-1\n");
    });

    it("is one process's alone, also where another one sees it by another path in another namespace", async () => {
      const store = place.open();
      await store.identity();
      const said = inNamespace(
        'mount --bind "$0" "$0/in a container"',
        join(folder, "in a container", "watermarks.sqlite"),
      );
      expect(said).to.match(/^in-use /);
      expect((await store.read(KEY))?.row.level).to.equal(100);
    });
  });

  describe("touched by another program while it is in use", () => {
    /** Waits until a change gets another time: kernels before 6.13 tell times in ticks of some milliseconds. */
    function waitForTheClock(): void {
      const probe = join(folder, "probe");
      const changedAt = (file: string) => statSync(file, { bigint: true }).ctimeNs;
      const last = [path, `${path}-wal`].map(changedAt).reduce((one, other) => (one > other ? one : other));
      do writeFileSync(probe, "");
      while (changedAt(probe) <= last);
    }

    let backup: string;
    let store: SqliteStore;
    beforeEach(async () => {
      await place.made();
      backup = join(folder, "backup");
      copyFileSync(path, backup);
      store = place.open();
      await raise(store, 101);
      await nextTurn();
    });

    const CHANGES: Readonly<Record<string, () => void>> = {
      "an older copy, written over it": () => copyFileSync(backup, path),
      "an older copy that keeps its times (cp -p)": () => void spawnSync("cp", ["-p", backup, path]),
      "its own bytes, written again": () => writeFileSync(path, readFileSync(path)),
      "the newest time of its own, given back after another copy": () => {
        const { atime, mtime } = statSync(path);
        copyFileSync(backup, path);
        utimesSync(path, atime, mtime);
      },
      "a byte at its end": () => appendFileSync(path, "x"),
      "an end cut off": () => truncateSync(path, 4096),
      "another time (touch)": () => utimesSync(path, 1, 1),
      "other rights (chmod)": () => chmodSync(path, 0o640),
      "a way elsewhere and back": () => {
        renameSync(path, join(folder, "away"));
        renameSync(join(folder, "away"), path);
      },
      "another log, written over its own": () => writeFileSync(`${path}-wal`, readFileSync(backup)),
      "an empty log": () => truncateSync(`${path}-wal`, 0),
      "no log": () => rmSync(`${path}-wal`),
      "nothing at all": () => rmSync(path),
    };
    for (const [what, change] of Object.entries(CHANGES)) {
      it(`stops hard before the next signature: ${what}`, async () => {
        waitForTheClock();
        change();
        const message = await hardStop(store.replace(KEY, rowAt(102), "2"));
        expect(message).to.match(/(was changed by another program|was removed or replaced) while it was in use/);
        await hardStop(store.read(KEY));
      });

      it(`stops hard where what was just signed is to be brought into it: ${what}`, async () => {
        await raise(store, 102);
        waitForTheClock();
        change();
        await nextTurn();
        expect(place.warnings.join()).to.match(/(was changed|was removed or replaced).* while it was in use/);
        await hardStop(store.read(KEY));
        expect(readFileSync(`${path}.seen`, "utf8"), "the witness is told").to.include('"level":102');
      });
    }

    it("stops hard where it is removed in the middle of a write", async () => {
      const { run } = StatementSync.prototype;
      StatementSync.prototype.run = function (this: StatementSync, ...values: unknown[]) {
        rmSync(path);
        return Reflect.apply(run, this, values);
      };
      try {
        expect(await hardStop(store.replace(KEY, rowAt(102), "2"))).to.include("was removed or replaced");
      } finally {
        StatementSync.prototype.run = run;
      }
    });

    it("is served on while others read it: a copy of it changes nothing", async () => {
      spawnSync("cp", ["-a", path, join(folder, "another")]);
      readFileSync(path);
      await raise(store, 102);
      expect((await store.read(KEY))?.row.level).to.equal(102);
    });

    it("is locked: no other program that uses SQLite reads or writes it", async () => {
      for (const statement of ["UPDATE watermarks SET level = 1", "SELECT * FROM watermarks", "VACUUM"]) {
        const script = `new (require("node:sqlite").DatabaseSync)(${JSON.stringify(path)}).exec("${statement}")`;
        const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "ignore", "pipe"] });
        let said = "";
        for await (const chunk of child.stderr) said += chunk;
        expect(said, statement).to.include("database is locked");
      }
      await raise(store, 102);
      expect((await store.read(KEY))?.row.level).to.equal(102);
    });
  });

  describe("gone", () => {
    for (const ending of ["-wal", "-journal", ".seen"]) {
      it(`stops hard where ${ending} is left of it, which is no first run`, async () => {
        writeFileSync(path + ending, "");
        const message = await hardStop(place.open().identity());
        expect(message).to.include(
          `${path} is gone, and ${basename(path)}${ending}, which belongs to it, is still there`,
        );
        await hardStop(place.open().establish("id-2"));
        expect(existsSync(path)).to.equal(false);
      });
    }
  });
});
