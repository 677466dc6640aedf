import fs, { readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join, resolve } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { type RunningSigner, startSigner } from "../../signer/main.ts";
import { LiveSettings } from "../../signer/settings/live-settings.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { Imds } from "../emulators/imds/imds.ts";
import { KeyVaultEmulator } from "../emulators/key-vault/emulator.ts";
import { temporaryFolder } from "../emulators/signer-process.ts";
import { attestation, transfer } from "../fixtures/payloads.ts";
import { makeCertificate } from "../harness/certificates.ts";
import { writeLocalKey } from "../harness/local-key.ts";
import { logLines } from "../harness/log-lines.ts";
import { operatorAt } from "../harness/operator.ts";
import { requires } from "../harness/requires.ts";
import { Baker } from "./baker.ts";
import { dashboardQueries, ruleFile } from "./files.ts";
import { faster, Prometheus } from "./prometheus.ts";

const SIGNER = { clientId: "11111111-2222-4333-8444-555555555555", objectId: "66666666-7777-4888-8999-aaaaaaaaaaaa" };
const UPDATER = "/var/lib/tezos-signer-updater/state.json";
/** The rules are so many times faster than in the repository: five minutes are ten seconds. */
const TIMES = 30;
const INTERVAL = "500ms";
/** What is waited for comes within this, in milliseconds, on a computer that is busy. */
const PATIENCE = 150_000;

/** Whoever scrapes by the metrics port has it. */
const TOKEN = "0123456789abcdefghijklmnop";

/** So many looks in a row see no alert, and none that is about to fire, before the next fault. */
const QUIET_LOOKS = 10;
/**
 * Signers, vault and test are one process, and Prometheus is beside it. Where other work of this computer holds one of them
 * up for longer, in milliseconds, signatures are late and scrapes come to nothing, and alerts that fire then say so rightly.
 */
const LATE_MS = 250;
/** What this computer was too busy to show is tried so often in all. */
const TRIES = 5;

/** What is done to the running signers, and undone. */
interface Fault {
  readonly title: string;
  /** Alerts that it is for, on the signer with the vault or the one with local keys. */
  readonly fires: readonly `${string} ${"vault" | "local"}`[];
  inject(): unknown;
  mend?(): unknown;
}

/** `npm run test:metrics`: some minutes, so it is not part of `npm test`. */
describe("a Prometheus that scrapes running signers", function () {
  this.timeout(600_000);
  const stack = new AsyncDisposableStack();
  const told: string[] = [];
  const answers: string[] = [];
  const unanswered = new Set(dashboardQueries("10s"));
  let prometheus: Prometheus;
  let baker: Baker;
  let vault: KeyVaultEmulator;
  let imds: Imds;
  let live: LiveSettings;
  let settings = "";
  const { log, lines } = logLines();
  const signers = {} as { vault: RunningSigner; local: RunningSigner };
  let place = "";
  let metricsHost = "";
  let startLocal: (metricsPort: number) => Promise<void>;
  let delay: ReturnType<typeof monitorEventLoopDelay>;

  /** The one is scraped by its admin port, the other by its metrics port, over TLS and with a token. */
  const instance = (name: "vault" | "local") => (name === "vault" ? new URL(signers.vault.adminUrl).host : metricsHost);
  const alertsNow = async (...states: ("firing" | "pending")[]) => {
    const byHost = { [instance("vault")]: "vault", [instance("local")]: "local" };
    return (await prometheus.alerts(states.length === 0 ? undefined : states)).map((alert) => {
      const [name = "", host = ""] = alert.split(" ");
      return `${name} ${byHost[host]}`;
    });
  };
  const lookAtPanels = async () => {
    for (const query of unanswered) {
      const samples = await prometheus.query(query);
      const [first] = samples;
      if (first === undefined) continue;
      unanswered.delete(query);
      const { __name__: _, job: __, instance: ___, ...labels } = first.metric;
      answers.push(`${query}\n    ${samples.length} series, the first: ${JSON.stringify(labels)} ${first.value[1]}`);
    }
  };
  /** Does a step, and does it again where the signers were held up meanwhile: what fires then says nothing of a rule. */
  async function onPace(step: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries++) {
      delay.reset();
      try {
        return await step();
      } catch (error) {
        const [slowest] = await prometheus.query("max(max_over_time(scrape_duration_seconds[1m]))");
        const held = Math.max(delay.max / 1e6, 1_000 * Number(slowest?.value[1] ?? 0));
        if (held <= LATE_MS || tries === TRIES) throw error;
        console.log(`       again: this computer held something up for ${Math.round(held)} ms`);
      }
    }
  }
  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const ends = performance.now() + PATIENCE;
    while (!(await isSo())) {
      if (performance.now() > ends)
        throw new Error(`${what} did not come: ${(await alertsNow()).join(", ") || "none fires"}`);
      await sleep(200);
    }
  }

  before(async function () {
    requires(this, hasProgram("prometheus") && hasProgram("openssl"), "no prometheus or openssl on PATH");
    const folder = stack.use(await temporaryFolder());
    place = folder.path;
    delay = monitorEventLoopDelay({ resolution: 20 });
    delay.enable();
    stack.defer(() => void delay.disable());
    baker = stack.use(await Baker.make());
    imds = await Imds.start({ identities: [SIGNER] });
    stack.defer(() => imds.stop());
    const policies = { [SIGNER.objectId]: ["get", "list", "sign"] as const };
    vault = await KeyVaultEmulator.start({ tokens: imds.tokens, policies });
    stack.defer(() => vault.stop());
    vault.createKey("baker", { crv: "P-256" });
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = imds.url;
    stack.defer(() => void delete process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST);
    const common = { listen: { port: 0 }, admin: { port: 0 } };
    const store = (name: string) => ({ kind: "sqlite", path: join(place, name), initialise: "always", maxStep: "off" });
    settings = JSON.stringify({
      ...common,
      keys: { kind: "azure-key-vault", vault: vault.url, clientId: SIGNER.clientId },
      watermarks: store("vault.sqlite"),
      policy: { default: { allow: ["attestation"], confirm: ["transaction"] } },
      confirmation: { socket: join(place, "confirm.sock") },
      head: { node: baker.node, maxAge: 10, maxBehind: 10_000, maxAhead: 10_000 },
    });
    live = new LiveSettings(settings, "the test's settings");
    signers.vault = await startSigner(live, log);
    stack.defer(() => signers.vault.stop());
    await writeLocalKey(join(place, "keys"));
    const tls = { cert: join(place, "cert.pem"), key: join(place, "key.pem") };
    makeCertificate(tls, 90);
    // A certificate of its own: the other one is renewed on the way.
    const watched = { cert: join(place, "watched.pem"), key: join(place, "watched-key.pem") };
    makeCertificate(watched, 90);
    const local = (metricsPort: number) => ({
      ...common,
      listen: { port: 0, tls },
      keys: { kind: "local", path: join(place, "keys") },
      watermarks: store("local.sqlite"),
      metrics: { port: metricsPort, token: { file: join(place, "token") }, tls: watched },
    });
    writeFileSync(join(place, "token"), TOKEN, { mode: 0o600 });
    startLocal = async (metricsPort) => {
      const settings = new LiveSettings(JSON.stringify(local(metricsPort)), "the test's settings");
      signers.local = await startSigner(settings, logLines().log);
    };
    await startLocal(0);
    stack.defer(() => signers.local.stop());
    metricsHost = `127.0.0.1:${signers.local.metricsAddress()?.port}`;
    const [address = ""] = signers.vault.keyring.keys.keys();
    baker.start(signers.vault.url, address);
    const rules = faster(readFileSync(ruleFile, "utf8"), TIMES);
    const scrapes = [
      { target: instance("vault") },
      { target: instance("local"), token: join(place, "token"), ca: watched.cert },
    ];
    prometheus = stack.use(await Prometheus.start(scrapes, rules, INTERVAL));
  });
  after(async () => {
    if (told.length > 0)
      console.log(`\n| fault | alert | seconds, ${TIMES} times faster | silent |\n${told.join("\n")}`);
    if (answers.length > 0) console.log(`\nEach panel's queries with their first answer:\n${answers.join("\n")}`);
    await stack.disposeAsync();
  });

  async function quiet(): Promise<void> {
    let looks = 0;
    await until("an end of what was before", async () => {
      looks = (await alertsNow("firing", "pending")).length === 0 ? looks + 1 : 0;
      return looks === QUIET_LOOKS;
    });
  }

  it("is told of nothing while all is well, for longer than any rule looks back", async () => {
    await onPace(async () => {
      await quiet();
      const ends = performance.now() + (15 * 60_000) / TIMES + 10_000;
      while (performance.now() < ends) {
        await sleep(1_000);
        expect(await alertsNow()).to.deep.equal([]);
      }
    });
    await lookAtPanels();
  });

  it("is told of nothing where a client asks once more for what was signed, and where one asks for what is not here", async () => {
    await onPace(async () => {
      await quiet();
      expect((await fetch(`${signers.vault.url}/nowhere`)).status).to.equal(404);
      const earlier = attestation({ level: baker.level });
      await until("the next level", async () => (await baker.ask(earlier)) === 409);
      await sleep(5_000);
      expect(await alertsNow()).to.deep.equal([]);
    });
    await lookAtPanels();
  });

  const refuseRelease = () => {
    const release = { version: "9.9.9", sha256: "0".repeat(64) };
    const at = new Date().toISOString();
    const refused = { ...release, reason: "It does not start.", at };
    const state = JSON.stringify({ wanted: release, step: null, problem: null, refused, at });
    const real = fs.readFileSync;
    fs.readFileSync = ((path: never, options: never) =>
      path === UPDATER ? state : real(path, options)) as typeof real;
    syncBuiltinESMExports();
    return () => {
      fs.readFileSync = real;
      syncBuiltinESMExports();
    };
  };
  let undo: () => unknown = () => undefined;
  const FAULTS: readonly Fault[] = [
    {
      title: "the baker stops asking, and the chain goes on",
      fires: ["TezosSignerNotSigning vault"],
      inject: () => Object.assign(baker, { asks: false }),
      mend: () => Object.assign(baker, { asks: true }),
    },
    {
      title: "other bytes are asked for at a level that is signed",
      fires: ["TezosSignerWatermarkRefusal vault"],
      inject: async () => expect(await baker.ask(attestation({ level: baker.level - 5, round: 7 }))).to.equal(409),
    },
    {
      title: "the vault takes more than a second",
      fires: ["TezosSignerVaultSlow vault"],
      // The signer itself waits a second and a half.
      inject: () => vault.faults.rate([{ kind: "delay", ms: 1_050, on: "sign", rate: 1 }]),
      mend: () => vault.faults.clear(),
    },
    {
      title: "half of the vault's signatures are wrong",
      fires: ["TezosSignerErrors vault"],
      inject: () => vault.faults.rate([{ kind: "wrong-signature", on: "sign", rate: 0.5 }]),
      mend: () => vault.faults.clear(),
    },
    {
      title: "the chain needs a second round",
      fires: ["TezosSignerRoundsAboveZero vault"],
      inject: () => Object.assign(baker, { round: 1 }),
      mend: () => Object.assign(baker, { round: 0 }),
    },
    {
      title: "the vault is gone, and the chain stands still",
      fires: ["TezosSignerNotReady vault"],
      inject: async () => {
        await baker.standStill();
        await vault.goAway();
      },
      mend: async () => {
        await vault.comeBack();
        await until("readiness", async () => (await fetch(`${signers.vault.adminUrl}/readyz`)).ok);
        await until("a signature", async () => (await baker.ask(attestation({ level: ++baker.level }))) === 200);
        baker.isMoving = true;
      },
    },
    {
      title: "the node answers no more",
      fires: ["TezosSignerHeadUnknown vault"],
      inject: () => Object.assign(baker, { nodeIsThere: false }),
      mend: () => Object.assign(baker, { nodeIsThere: true }),
    },
    {
      title: "the newest settings are wrong",
      fires: ["TezosSignerSettingsRefused vault"],
      inject: () => expect(() => live.apply("policy: 7")).to.throw(),
      mend: () => live.apply(settings),
    },
    {
      title: "the updater refuses the release",
      fires: ["TezosSignerReleaseRefused local", "TezosSignerReleaseRefused vault"],
      inject: () => {
        undo = refuseRelease();
      },
      mend: () => undo(),
    },
    {
      title: "a request waits for a person",
      fires: ["TezosSignerConfirmationWaiting vault"],
      inject: async () => {
        const operator = await operatorAt(join(place, "confirm.sock"));
        const asked = baker.ask(transfer());
        const { question } = await operator.next("asked");
        undo = async () => {
          operator.answer({ id: question.id, confirm: false });
          operator[Symbol.dispose]();
          expect(await asked).to.equal(403);
        };
      },
      mend: () => undo(),
    },
    {
      title: "the token ends in five minutes",
      fires: ["TezosSignerTokenAgeing vault"],
      inject: () => {
        imds.lifetime = 300;
        imds.revokeTokens();
      },
      mend: () => {
        imds.lifetime = 86_400;
        imds.revokeTokens();
      },
    },
    {
      title: "the certificate ends tomorrow",
      fires: ["TezosSignerCertificateEnding local"],
      inject: async () => {
        makeCertificate({ cert: join(place, "cert.pem"), key: join(place, "key.pem") }, 1);
        await signers.local.renewCertificate();
      },
      mend: async () => {
        makeCertificate({ cert: join(place, "cert.pem"), key: join(place, "key.pem") }, 90);
        await signers.local.renewCertificate();
      },
    },
    {
      title: "a signer ends",
      fires: ["TezosSignerDown local"],
      inject: () => signers.local.stop(),
      mend: () => startLocal(Number(metricsHost.split(":")[1])),
    },
  ];

  const rules = [...readFileSync(resolve(ruleFile), "utf8").matchAll(/alert: (\w+)/g)].map(([, name]) => name);

  for (const { title, fires, inject, mend } of FAULTS) {
    it(`is told by ${fires.map((alert) => alert.split(" ")[0]).join(", ")} alone that ${title}`, () =>
      onPace(async () => {
        await quiet();
        lines.length = 0;
        const seen = new Set<string>();
        const look = async () => {
          for (const alert of await alertsNow()) seen.add(alert);
          await lookAtPanels();
        };
        const began = performance.now();
        let seconds = "";
        await inject();
        try {
          await until(fires.join(", "), async () => {
            await look();
            return fires.every((alert) => seen.has(alert));
          });
          seconds = ((performance.now() - began) / 1_000).toFixed(1);
          for (let looks = 0; looks < 10; looks++) {
            await sleep(300);
            await look();
          }
        } finally {
          await mend?.();
        }
        const failures = lines.filter(({ severity, verdict }) => severity !== "info" && verdict !== undefined);
        expect([...seen].sort(), JSON.stringify(failures.slice(0, 5))).to.deep.equal([...fires].sort());
        const names = [...new Set([...seen].map((alert) => alert.split(" ")[0]))];
        const shown = names.map((name) => `\`${name}\``).join(", ");
        told.push(`| ${title} | ${shown} | ${seconds} | ${rules.length - names.length} of ${rules.length} |`);
      }));
  }

  it("has had an answer with data for every query of every panel", () => {
    expect([...unanswered]).to.deep.equal([]);
  });

  it("is told row by row in docs/operate.md, but for the seconds, which are one run's", () => {
    const page = readFileSync(resolve(import.meta.dirname, "../../docs/operate.md"), "utf8");
    const withoutSeconds = (row: string) => row.replace(/ [\d.]+ (?=\| \d+ of \d+ \|$)/, " ");
    const rows = page.split("\n").filter((line) => /\| \d+ of \d+ \|$/.test(line));
    expect(rows.map(withoutSeconds)).to.deep.equal(told.map(withoutSeconds));
  });

  it("has had every rule of the file tried", () => {
    const tried = new Set(FAULTS.flatMap(({ fires }) => fires.map((alert) => alert.split(" ")[0])));
    expect(rules.filter((name) => !tried.has(name))).to.deep.equal([]);
  });
});
