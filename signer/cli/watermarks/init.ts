import { Command } from "commander";
import { compare } from "../../watermark/decision.ts";
import { confirmAddress, type FloorOptions, floorOptions, setFloor } from "../marks/floor.ts";
import { parseAddress } from "../marks/options.ts";
import { ensureIdentity, withStore } from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

/** Defines `watermarks init`. */
export function initCommand(io: Io): Command {
  const command = new Command("init")
    .summary("make the marks of a key that never signed")
    .description(
      "Makes the store, if there is none, and the three marks of a key on a chain, below which nothing is ever signed. A mark that is there and lower is raised; one that is higher stays. For a key that has signed elsewhere, import its marks instead.",
    );
  floorOptions(command, parseAddress).action(async (options: FloorOptions) => {
    using terminal = new Terminal(io);
    await withStore(options, async (opened) => {
      terminal.say(
        `The key ${options.pkh} will sign on ${options.chain} from level ${options.level}. If it has ever signed at or above that level, with this signer or another, it can sign twice and be slashed.`,
      );
      await confirmAddress(terminal, options.pkh);
      await ensureIdentity(opened);
      await setFloor(terminal, opened, options, (before, floor) => before === undefined || compare(floor, before) > 0);
    });
  });
  return withExamples(
    command,
    "tezos-signer watermarks init --chain NetXdQprcVkpaWU \\",
    "    --pkh tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK \\",
    "    --level 9123456 --config settings.yaml",
  );
}
