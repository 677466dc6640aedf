import { MAX_PAYLOAD } from "../tezos/payload/payload.ts";

/** Times in milliseconds, sizes in bytes. */
export interface Limits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly handshakeTimeout: number;
  readonly keepAliveTimeout: number;
  readonly checkInterval: number;
  readonly quietTimeout: number;
  readonly drainTimeout: number;
  readonly closeTimeout: number;
  readonly maxConnections: number;
  readonly maxUnlistedConnections: number;
  readonly maxHeaderSize: number;
  readonly maxHeadersCount: number;
}

/**
 * What one client can cost the signer; docs/reference/http.md lists the same figures (test/signer/http/limits.test.ts).
 * Node's own defaults are made for web sites: 60 s for headers, 300 s for a request, 5 s of keep-alive, no cap.
 */
export const LIMITS: Limits = {
  // Request line and headers of octez are under 1 KB and come in one packet: 5 s is a very bad line.
  headersTimeout: 5_000,
  // Headers and body together. A signature that takes longer to ask for is of no use to a baker.
  requestTimeout: 10_000,
  // Node waits 120 s for a TLS handshake.
  handshakeTimeout: 5_000,
  // Longer than any block time, so that a client that keeps its connection finds it open at the next block.
  keepAliveTimeout: 65_000,
  // How often Node looks for requests that are late; its default of 30 s would make both time-outs above 30 s.
  checkInterval: 1_000,
  // How long a stopping signer waits for a request on a kept connection: a client that asks 4 times a second has its answer,
  // and hears with it that the connection ends.
  quietTimeout: 300,
  // Longer than the deadline of one signature (main.ts), shorter than systemd's patience (TimeoutStopSec= of the unit).
  drainTimeout: 10_000,
  // For the last answers to reach the wire, once nothing is in flight.
  closeTimeout: 500,
  // A baker needs two; 256 leave room for many bakers and bound the memory (about 10 MB).
  maxConnections: 256,
  // Connections from addresses outside allowedAddresses: enough for their 403, too few to crowd the baker out.
  maxUnlistedConnections: 16,
  // An authenticated request of octez has about 600 bytes of request line and headers; Node's default is 16 KiB.
  maxHeaderSize: 8_192,
  maxHeadersCount: 64,
};

/** Longest body: the payload in hex, two quotes, and a line end or a little white space. */
export const MAX_BODY = 2 * MAX_PAYLOAD + 8;
