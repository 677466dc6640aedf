import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import fc from "fast-check";
import { decideByHead, type Head, type HeadRule } from "../../../signer/policy/head.ts";
import { HeadFollower } from "../../../signer/policy/head-follower.ts";
import { sign } from "../../emulators/octez-client.ts";
import { startSignerProcess } from "../../emulators/signer-process.ts";
import { attestation, MAINNET } from "../../fixtures/payloads.ts";
import { CONFIG, confirmingFolder } from "../../harness/operator.ts";

const NOW = Date.parse("2026-11-20T16:00:00Z");
const RULE: HeadRule = { node: "", maxBehind: 5, maxAhead: 5, maxAge: 60, whenUnknown: "sign" };
const HEAD: Head = { chainId: MAINNET, level: 1_000, timestamp: NOW - 6_000, seenAt: NOW - 2_000 };

const at = (level: number, head: Partial<Head> = {}) =>
  decideByHead(RULE, { ...HEAD, ...head }, { chainId: MAINNET, level }, NOW).verdict;

/** The table of docs/operate.md: what the node does, and the verdict on a request at the real head, level 1,000. */
const TABLE: Readonly<Record<string, string>> = {
  "The node follows the chain": at(1_001),
  "The node answers slowly, and is a few levels late": at(1_000, { level: 996, seenAt: NOW - 3_000 }),
  "The node is on a fork of about the same height": at(1_000, { level: 1_003 }),
  "The baker is on an old branch, more than `maxBehind` below": at(994),
  "The baker is asked for a level far above the chain": at(1_100),
  "The node is down, for less than `maxAge`": at(1_008, { seenAt: NOW - 50_000, timestamp: NOW - 55_000 }),
  "The node is down, for longer than `maxAge`": at(1_020, { seenAt: NOW - 90_000, timestamp: NOW - 95_000 }),
  "The node has never answered": decideByHead(RULE, undefined, { chainId: MAINNET, level: 1_000 }, NOW).verdict,
  "The node answers, and its head stands still": at(1_020, { timestamp: NOW - 120_000 }),
  "The node is on another chain": at(1_000, { chainId: "NetXnHfVqm9iesp" }),
  "The node tells a head of the future": at(1_000, { timestamp: NOW + 60_000 }),
  "The node lies: its level is far too high": at(1_000, { level: 5_000_000 }),
  "The node lies: its level is far too low": at(1_000, { level: 3 }),
};

/** A node whose answers a test decides. */
async function fakeNode() {
  const refuse = (response: ServerResponse): void => void response.writeHead(500).end();
  const state = { answer: refuse, asked: 0 };
  const server = createServer((request, response) => {
    expect(request.url).to.equal("/chains/main/blocks/head/header");
    state.asked += 1;
    state.answer(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tell = (header: object) => {
    state.answer = (response) => void response.end(JSON.stringify({ ...genuine(), ...header }));
  };
  const stop = () => new Promise((closed) => server.close(closed).closeAllConnections());
  return { url, state, tell, [Symbol.asyncDispose]: async () => void (await stop()) };
}

function genuine(level = 1_000) {
  return { protocol: "Pt", chain_id: MAINNET, hash: "BL", level, timestamp: new Date().toISOString(), proto: 25 };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describe("head of the chain", () => {
  it("has the verdicts that docs/operate.md lists", () => {
    const page = readFileSync(new URL("../../../docs/operate.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| (The [^|]+?) +\| (near|behind|ahead|unknown) +\|/gm)];
    expect(Object.fromEntries(rows.map(([, name, verdict]) => [name, verdict]))).to.deep.equal(TABLE);
  });

  it("is exact at its bounds", () => {
    expect([994, 995, 1_007, 1_008].map((level) => at(level))).to.deep.equal(["behind", "near", "near", "ahead"]);
  });

  it("never refuses the next level to a baker whose node is in step, whatever the age of its answer", () => {
    const ages = fc.integer({ min: 0, max: 54_000 });
    fc.assert(
      fc.property(ages, (age) => {
        // Since the node's answer the chain went on, one level in six seconds.
        const level = HEAD.level + Math.floor(age / 6_000) + 1;
        expect(at(level, { seenAt: NOW - age, timestamp: NOW - age - 5_000 })).to.equal("near");
      }),
    );
  });
});

describe("a head that was told after now, by a clock that was set back since", () => {
  it("explains no more than one that was told now", () => {
    expect(at(1_005, { seenAt: NOW + 50_000 })).to.equal("near");
    expect(at(1_006, { seenAt: NOW + 50_000 })).to.equal("ahead");
  });
});

describe("head follower", () => {
  it("takes a head, keeps it over faults, and drops it with the node's address", async () => {
    await using node = await fakeNode();
    const problems: (string | undefined)[] = [];
    let rule: HeadRule | undefined = { ...RULE, node: node.url };
    const follower = new HeadFollower({ rule: () => rule, onChange: (problem) => problems.push(problem), pause: 5 });
    follower.start();
    await until(() => problems.length === 1);
    expect(problems[0]).to.match(
      /the node has told no head \(the node answered with status 500\); requests are signed/,
    );
    node.tell({ level: 7 });
    await until(() => follower.head?.level === 7);
    const faults: ((response: ServerResponse) => void)[] = [
      (response) => response.destroy(),
      (response) => void response.writeHead(302, { location: node.url }).end(),
      (response) => void response.end("<html>"),
      (response) => void response.end("null"),
      (response) => void response.end(JSON.stringify({ ...genuine(), level: "8" })),
      (response) => void response.end(JSON.stringify({ ...genuine(), level: -8 })),
      (response) => void response.end(JSON.stringify({ ...genuine(), chain_id: "main" })),
      (response) => void response.end(JSON.stringify({ ...genuine(), timestamp: "now" })),
      (response) => void response.end(`"${"x".repeat(200_000)}"`),
    ];
    for (const fault of faults) {
      const before = node.state.asked;
      node.state.answer = fault;
      await until(() => node.state.asked > before + 1);
      expect(follower.head?.level).to.equal(7);
    }
    rule = { ...rule, node: `${node.url}/other` };
    expect(follower.head).to.equal(undefined);
    rule = undefined;
    expect(follower.problem()).to.equal(undefined);
    await follower.stop();
  });

  it("tells nothing of the node before once another one is asked, which has not answered yet", async () => {
    await using before = await fakeNode();
    await using node = await fakeNode();
    before.tell({ level: 7 });
    node.state.answer = () => undefined;
    let { url } = before;
    const follower = new HeadFollower({
      rule: () => ({ ...RULE, node: url }),
      onChange: () => undefined,
      pause: 5,
    });
    follower.start();
    await until(() => follower.head?.level === 7);
    ({ url } = node);
    await until(() => node.state.asked === 1);
    expect([follower.head, follower.of(before.url)]).to.deep.equal([undefined, undefined]);
    await follower.stop();
  });

  it("ends at once while a node stalls", async () => {
    await using node = await fakeNode();
    node.state.answer = () => undefined;
    const follower = new HeadFollower({ rule: () => ({ ...RULE, node: node.url }), onChange: () => undefined });
    follower.start();
    await until(() => node.state.asked === 1);
    await follower.stop();
  });
});

describe("a signer that follows a node", () => {
  it("refuses votes far from the head, and signs those near it", async () => {
    await using node = await fakeNode();
    node.tell({});
    await using folder = await confirmingFolder({ head: { node: node.url } });
    await using signer = await startSignerProcess(folder.path, CONFIG);
    const vote = (level: number) =>
      sign(signer.url, signer.addresses[0] ?? "", attestation({ level }).toString("hex"), { retries: 0 });
    await until(() => signer.log.some(({ msg }) => msg === "the chain's head is known"));
    expect(await vote(994)).to.include({ status: 409 });
    expect((await vote(994)).message).to.contain("level 994 is asked, and the head is at 1000");
    expect(await vote(1_500)).to.include({ status: 502 });
    expect(await vote(1_001)).to.include({ status: 200 });
  });

  it("refuses everything without a head where the settings say so", async () => {
    await using folder = await confirmingFolder({ head: { node: "http://127.0.0.1:1", whenUnknown: "refuse" } });
    await using signer = await startSignerProcess(folder.path, CONFIG);
    const vote = await sign(signer.url, signer.addresses[0] ?? "", attestation().toString("hex"), { retries: 0 });
    expect(vote.status).to.equal(502);
    expect(vote.message).to.contain("The head of the chain is not known");
  });
});
