/**
 * One run of the updater, started by machine/bin/watch as root; the first one by the bootstrap. Ends with exit status 0
 * where nothing is left to do until userData changes, 75 where the same is to be tried again later.
 * @module
 */
import { appendFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { imdsHost } from "../../signer/azure/metadata-service.ts";
import { UserData, userDataUrl } from "../../signer/azure/user-data.ts";
import { readUserDataDocument, type UserDataDocument } from "../../signer/azure/user-data-document.ts";
import { UPDATER_FOLDER } from "../../signer/contract.ts";
import { messageOf } from "../../signer/errors.ts";
import { run, start } from "./command.ts";
import { Compiled } from "./compiled.ts";
import { Disk } from "./disk.ts";
import { MachineFiles } from "./machine-files.ts";
import { Service } from "./service.ts";
import { StateFile } from "./state.ts";
import { Trial } from "./trial.ts";
import { settingsVersion, Upgrade } from "./upgrade.ts";
import { versionAt } from "./version.ts";

const OPT = "/opt/tezos-signer";
/** EX_TEMPFAIL of sysexits.h. */
const AGAIN = 75;

function say(text: string): void {
  const line = `tezos-signer-updater: ${text}`;
  console.log(line);
  try {
    appendFileSync("/dev/console", `${line}\n`);
  } catch {
    // A machine without a console has the journal.
  }
}

/** Asks userData once; undefined, with a word, where it cannot be read or understood. */
async function readDocument(): Promise<UserDataDocument | undefined> {
  const userData = new UserData({ url: userDataUrl(imdsHost()), apply: () => undefined });
  try {
    return readUserDataDocument(await userData.read());
  } catch (error) {
    say(messageOf(error));
    return undefined;
  } finally {
    userData.stop();
  }
}

async function main(): Promise<number> {
  mkdirSync(UPDATER_FOLDER, { recursive: true, mode: 0o755 });
  const disk = new Disk(OPT);
  const state = new StateFile(join(UPDATER_FOLDER, "state.json"), say);
  const compiled = new Compiled(run);
  const trial = new Trial(run, "/", join(OPT, "current"));
  const upgrade = new Upgrade({
    disk,
    state,
    files: new MachineFiles("/", OPT),
    service: new Service(run),
    trial: (place, seconds) => trial.of(place, seconds),
    compile: (place) => compiled.make(place),
    fetch: ({ url, sha256, clientId }) => run(join(import.meta.dirname, "../bin/fetch-release"), url, sha256, clientId),
    apply: async () => (await start(join(OPT, "current/machine/bin/apply"))) === 0,
    firewall: (place) => void run("nft", "--file", join(place, "machine/files/etc/tezos-signer/firewall.nft")),
    isWanted: async (sha256, settings) => {
      const now = await readDocument();
      return now === undefined || (now.release?.sha256 === sha256 && settingsVersion(now.settings) === settings);
    },
    versionAt,
    say,
    watch: 1_000 * Number(process.env.WATCH_SECONDS ?? 60),
    clock: () => performance.now(),
  });
  const retry = join(UPDATER_FOLDER, "retry"); // left by tezos-signer-retry
  if (existsSync(retry)) {
    rmSync(retry);
    upgrade.forgive();
  }
  const before = disk.current;
  try {
    const document = await readDocument();
    const resumed = await upgrade.resume(document?.machine);
    if (document === undefined) return AGAIN;
    const end = await upgrade.towards(document);
    if (disk.current !== before) handOver();
    return end === "done" && resumed === "done" ? 0 : AGAIN;
  } catch (error) {
    const problem = messageOf(error);
    say(problem);
    state.tell({ step: "waiting", problem });
    return AGAIN;
  }
}

/** The next run is to be of the release in use. Last of all, since this process belongs to the updater's service. */
function handOver(): void {
  run("systemctl", "start", "--no-block", "tezos-signer-packages.service");
  run("systemctl", "restart", "--no-block", "tezos-signer-updater.service");
}

/** What a release's updater must be able to do before the release is used: read what it works on. */
async function selfTest(): Promise<void> {
  const { now } = new StateFile(join(UPDATER_FOLDER, "state.json"));
  const { current, previous } = new Disk(OPT);
  console.log(JSON.stringify({ step: now.step, current, previous, userData: (await readDocument()) !== undefined }));
}

if (process.argv.includes("--self-test")) await selfTest();
else process.exitCode = await main();
