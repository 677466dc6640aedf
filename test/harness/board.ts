import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Context } from "mocha";
import { PrivateKey } from "../../signer/key-files/private-key.ts";
import type { Curve } from "../../signer/tezos/crypto/curve.ts";
import { hasProgram } from "../emulators/has-program.ts";
import { type BoardOptions, TezioBoard } from "../emulators/tezio/board.ts";
import { requires } from "./requires.ts";

const PACKAGE = join(resolve(import.meta.dirname, "../.."), "hardware/node_modules/@serialport/bindings-cpp");

/** Skips the running test where a pseudo-terminal, or the package that opens one, is not there. */
export function requiresBoard(context: Context): void {
  requires(context, hasProgram("python3"), "python3 is not installed (.ci/machine-tools)");
  requires(context, existsSync(PACKAGE), "serialport is not there (npm run hardware)");
}

/** Where a board has its key of a curve. */
const PLACES = { "P-256K": 2, "P-256": 3 } as const satisfies Record<Curve, number>;

/** Every magic byte that a baker's key signs. */
const BAKES = [0x03, 0x05, 0x11, 0x12, 0x13];

/**
 * Makes a board with a new key of each of these curves, all of which may bake, and plugs it in.
 * @param path where its terminal is to be found
 */
export function startBoard(
  path: string,
  { curves, ...options }: { readonly curves: readonly Curve[] } & Partial<BoardOptions>,
): Promise<TezioBoard> {
  const secrets = Object.fromEntries(
    curves.map((curve) => {
      using key = PrivateKey.generate(curve);
      return [PLACES[curve], key.withScalar((scalar) => Uint8Array.from(scalar))];
    }),
  );
  return TezioBoard.start({ path, secrets, allowed: { 2: BAKES, 3: BAKES }, ...options });
}
