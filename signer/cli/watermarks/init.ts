import { Command, InvalidArgumentError, Option } from "commander";
import { decode } from "../../tezos/crypto/base58.ts";
import { CONSENSUS_KINDS } from "../../tezos/payload/consensus-kind.ts";
import { floorRow } from "../../watermark/initialise.ts";
import { type Row, rowName } from "../../watermark/stores/store.ts";
import { Failure } from "../failure.ts";
import {
  configOption,
  ensureIdentity,
  type OpenedStore,
  requireIdentity,
  type StoreOptions,
  update,
  userDataOption,
  withStore,
} from "../open-store.ts";
import { withExamples } from "../run.ts";
import { type Io, Terminal } from "../terminal.ts";

interface PlaceOptions extends StoreOptions {
  readonly chain: string;
  readonly pkh: string;
  readonly level: number;
}

/** `watermarks init` */
export function initCommand(io: Io): Command {
  const command = new Command("init")
    .summary("make the marks of a key that never signed")
    .description(
      "Makes the store, if there is none, and the three marks of a key on a chain, below which nothing is ever signed. Marks that are there stay. For a key that has signed elsewhere, import its marks instead.",
    );
  placeOptions(command).action(async (options: PlaceOptions) => {
    using terminal = new Terminal(io);
    await withStore(options, async (opened) => {
      terminal.say(
        `The key ${options.pkh} will sign on ${options.chain} from level ${options.level}. If it has ever signed at or above that level, with this signer or another, it can sign twice and be slashed.`,
      );
      await confirm(terminal, options.pkh);
      await ensureIdentity(opened);
      await setFloor(terminal, opened, options, (before) => before === undefined);
    });
  });
  return withExamples(
    command,
    "tezos-signer watermarks init --chain NetXdQprcVkpaWU \\",
    "    --pkh tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK \\",
    "    --level 9123456 --config settings.yaml",
  );
}

/** `watermarks forget` */
export function forgetCommand(io: Io): Command {
  const command = new Command("forget")
    .summary("lower the marks of a key: for a testnet that began anew")
    .description(
      "Sets the three marks of a key on a chain back to a level, for a testnet that was restarted under the same chain id. On any other chain this is how a key gets slashed. Restart every signer of the store afterwards: one that remembers the old marks stops by itself.",
    );
  placeOptions(command).action(async (options: PlaceOptions) => {
    using terminal = new Terminal(io);
    await withStore(options, async (opened) => {
      await requireIdentity(opened);
      terminal.warn(
        `Everything that ${options.pkh} has signed on ${options.chain} at or above level ${options.level} will be forgotten, and can be signed again with other bytes.`,
      );
      await confirm(terminal, options.pkh);
      await setFloor(terminal, opened, options, (before) => before !== undefined);
      terminal.say("Restart every signer of this store now.");
    });
  });
  return withExamples(
    command,
    "tezos-signer watermarks forget --chain NetXnHfVqm9iesp \\",
    "    --pkh tz3ZbCsUveF3Q6WUNkThT1wyJyhPunanaAXK \\",
    "    --level 1 --config settings.yaml",
  );
}

function placeOptions(command: Command): Command {
  return command
    .addOption(new Option("--chain <id>", "the chain's id, Net…").argParser(parseChain).makeOptionMandatory())
    .addOption(new Option("--pkh <address>", "the key's address").argParser(parseAddress).makeOptionMandatory())
    .addOption(
      new Option("--level <level>", "the first level that may be signed").argParser(parseLevel).makeOptionMandatory(),
    )
    .addOption(configOption())
    .addOption(userDataOption());
}

async function confirm(terminal: Terminal, address: string): Promise<void> {
  const typed = await terminal.ask("To go on, type the last six characters of the address: ");
  if (typed !== address.slice(-6)) throw new Failure("declined", "Those are not the last six. Nothing was changed.");
  terminal.release();
}

async function setFloor(
  terminal: Terminal,
  opened: OpenedStore,
  { chain, pkh, level }: PlaceOptions,
  applies: (before: Row | undefined) => boolean,
): Promise<void> {
  for (const kind of CONSENSUS_KINDS) {
    const key = { chainId: chain, address: pkh, kind };
    const floor = floorRow({ level, until: 0 }, Date.now());
    const { before, after } = await update(opened, key, (row) => (applies(row) ? floor : undefined));
    terminal.print(`${rowName(key)} ${before === after ? "stays as it is" : `starts at level ${level}`}`);
  }
}

function parseChain(text: string): string {
  return parsed(text, "Give the chain's id, such as NetXdQprcVkpaWU.", "Net");
}

function parseAddress(text: string): string {
  return parsed(text, "Give the key's address, tz2… or tz3….", "tz2", "tz3");
}

function parsed(text: string, advice: string, ...prefixes: Parameters<typeof decode>[1][]): string {
  try {
    decode(text, ...prefixes);
    return text;
  } catch {
    throw new InvalidArgumentError(advice);
  }
}

function parseLevel(text: string): number {
  const level = Number(text);
  if (/^\d+$/.test(text) && level >= 1 && level < 2 ** 31) return level;
  throw new InvalidArgumentError("Give a level: a whole number from 1.");
}
