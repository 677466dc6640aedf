import { deepStrictEqual, ok } from "node:assert";
import { explore } from "./explore.ts";
import { type Bounds, NOTHING, type Scenario } from "./world.ts";

const BOUNDS: readonly Bounds[] = [
  { ...NOTHING, crashes: 1, imports: 1 },
  { ...NOTHING, faults: 1, imports: 1 },
  { ...NOTHING, deadlines: 1, imports: 1 },
];

/**
 * Explores with the reduction and without, for each bound.
 * @returns the worlds of both
 * @throws AssertionError where they come to other ends, or the reduction meets as many worlds
 */
export async function compareReduction(scenario: Scenario): Promise<{ reduced: number; plain: number }> {
  let [reduced, plain] = [0, 0];
  for (const bounds of BOUNDS) {
    const less = await explore(scenario, [bounds]);
    const all = await explore(scenario, [bounds], { isReduced: false });
    deepStrictEqual([...less.ends].sort(), [...all.ends].sort());
    ok(less.worlds < all.worlds, `${less.worlds} worlds, and ${all.worlds} without the reduction`);
    reduced += less.worlds;
    plain += all.worlds;
  }
  return { reduced, plain };
}
