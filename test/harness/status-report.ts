import { LastHour } from "../../signer/observability/last-hour.ts";
import type { StatusReport } from "../../signer/report/status.ts";

/** When the reports below were made. */
export const AT = Date.parse("2026-11-29T20:03:37Z");
const KEY = "tz3V7sKSMbERTfkEPdVyygNbjZyo3SaHkQHe";
const CHAIN = "NetXdQprcVkpaWU";
const secondsAgo = (seconds: number) => new Date(AT - seconds * 1_000).toISOString();

/** What a signer says of itself that has signed for days, with an operator in attendance. */
export const HEALTHY: StatusReport = {
  started: secondsAgo(400_000),
  ready: true,
  reasons: [],
  readySince: secondsAgo(270_000),
  release: {
    version: "0.2.0",
    sha256: "6b1f0a9c33d1e0b7a4c85d2f9e3417605b8cd9f2a1e07743c6d5b8a9f0e1d2c3",
    wanted: null,
    step: null,
    problem: null,
    refused: null,
    at: null,
    waitingSettings: null,
  },
  settings: { source: "userData", version: "ed95cfb77711", since: secondsAgo(270_100), refused: null },
  balancer: null,
  otherMachines: null,
  tls: null,
  store: { kind: "azure-table", id: "f4bcc94b-bed7-4264-9717-c0d838dc314d", problem: null, readAt: secondsAgo(4) },
  vault: { problem: null, tokenSeconds: 50_400, signMilliseconds: { p50: 17.3, p99: 48.4 } },
  keys: [
    {
      address: KEY,
      publicKey: "p2pk66J7hGHvo6jF7WNiYDQoW8AG5aDEvKzVkfPfVHPJfoZQcwdC1V2",
      location: "key baker of the vault",
      watermarkStore: "f4bcc94b-bed7-4264-9717-c0d838dc314d",
      problem: null,
      policy: {
        allow: ["block", "preattestation", "attestation"],
        confirm: ["transaction", "reveal"],
        chains: [CHAIN],
      },
    },
  ],
  watermarks: [
    markOf("attestation", 9_123_457, 2),
    markOf("block", 9_122_980, 2_864),
    markOf("preattestation", 9_123_457, 4),
    { row: `operation of ${KEY}`, level: null, round: null, since: null, signedAt: secondsAgo(86_000) },
  ],
  head: { node: "10.0.0.5:8732", chainId: CHAIN, level: 9_123_457, ageSeconds: 2, problem: null },
  confirmations: { socket: "/run/tezos-signer/confirm.sock", problem: null, operators: 1, waiting: [] },
  refusals: [
    {
      at: secondsAgo(1_320),
      since: secondsAgo(1_320),
      count: 1,
      key: KEY,
      client: "203.0.113.7",
      asked: "transaction",
      code: "operator-absent",
      message:
        "A person must confirm the request, and nobody is there: run `tezos-signer confirm` on the signer's machine first, then ask again.",
    },
  ],
};

function markOf(kind: string, level: number, seconds: number): StatusReport["watermarks"][number] {
  const signedAt = secondsAgo(seconds);
  return { row: `${kind} of ${KEY} on ${CHAIN}`, level, round: 0, since: signedAt, signedAt };
}

const SETTINGS_REFUSED = 'userData cannot be used:\n  policy.default.allow.1: Invalid option (is "atestation")';
const UNAVAILABLE = "The key did not answer in time; ask again: the vault did not answer within 1500 ms.";
const HEAD_UNKNOWN =
  "The chain's head is not known: the node has told no head (connect ECONNREFUSED 10.0.0.5:8732); requests are signed without the check.";

/** The same one with three faults: no vault, no node, and settings that are wrong. */
export const FAULTY: StatusReport = {
  ...HEALTHY,
  ready: false,
  readySince: secondsAgo(97),
  reasons: [UNAVAILABLE, `The newest settings are not in use, those before are: ${SETTINGS_REFUSED}`],
  settings: { ...HEALTHY.settings, refused: SETTINGS_REFUSED },
  vault: { ...HEALTHY.vault, problem: UNAVAILABLE },
  watermarks: [
    markOf("attestation", 9_123_441, 98),
    markOf("block", 9_122_980, 2_960),
    markOf("preattestation", 9_123_441, 100),
  ],
  head: { node: "10.0.0.5:8732", chainId: CHAIN, level: 9_123_441, ageSeconds: 96, problem: HEAD_UNKNOWN },
  refusals: [
    {
      at: secondsAgo(3),
      since: secondsAgo(97),
      count: 31,
      key: KEY,
      client: "203.0.113.7",
      asked: "attestation at level 9123456 round 0",
      code: "vault-unavailable",
      message: UNAVAILABLE,
    },
    ...HEALTHY.refusals,
  ],
};

/** An hour of a baker's votes. @param minutesDown of its end, in which each request failed */
export function hourOf(minutesDown = 0) {
  let now = 0;
  const hour = new LastHour(() => now);
  for (let minute = 0; minute < 60; minute++) {
    now = minute * 60_000;
    const isDown = minute >= 60 - minutesDown;
    for (let vote = 0; vote < 20; vote++) {
      // Neither even nor random: the picture is to be the same each time.
      const spread = ((minute * 37 + vote * 101) % 17) / 17;
      const slow = vote === 0 ? 30 + 60 * (((minute * 13) % 11) / 11) : 0;
      const milliseconds = 15 + 5 * spread + slow + (minute > 33 && minute < 38 ? 140 * spread : 0);
      hour.decided(isDown ? "failed" : "signed", milliseconds);
    }
    if (minute === 38) hour.decided("refused", 0);
  }
  return hour.look();
}
