/** A release of Node.js as nodejs.org publishes it, for both kinds of machine that Azure offers. */
export interface NodeRelease {
  readonly version: string;
  /** Where `vVERSION/node-vVERSION-linux-ARCH.tar.xz` is found. */
  readonly baseUrl: string;
  /** SHA-256 of the .tar.xz, hex. */
  readonly sha256: { readonly x64: string; readonly arm64: string };
}

/**
 * The Node.js of the machine: the one place where its version and its hashes are pinned.
 * The version is that of the devDependency `node`, so the tests run on what signs (test/cloud-init/node-release.test.ts).
 * To change it, take the two lines of https://nodejs.org/dist/vVERSION/SHASUMS256.txt whose names end in
 * -linux-x64.tar.xz and -linux-arm64.tar.xz, and compare them with a second, independent source.
 */
export const NODE_RELEASE: NodeRelease = {
  version: "24.21.0",
  baseUrl: "https://nodejs.org/dist",
  sha256: {
    x64: "fd8e59d5a511510f6a298afb548f18c7d2b1be404d8b4a27d94fbe49f56cb2d6",
    arm64: "6ad1325edbdb5649c379b75a237147a666c95d4f9ae8d340fef2d1575d289ad2",
  },
};
