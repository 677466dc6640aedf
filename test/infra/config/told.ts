import { ConfigurationError, type Mistake, parseConfig } from "../../../infra/config/parse.ts";
import { SSH_KEY } from "../../fixtures/stack-configs.ts";

/** What is told of a configuration, for the tests of its reader. */

/** A client's public key. */
export const CLIENT = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav";

/** Mistakes of a configuration. */
export function mistakes(config: Readonly<Record<string, string>>): readonly Mistake[] {
  try {
    parseConfig(config, "dev");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.mistakes;
  }
}

/** What the capitals of an example and its one command stand for. */
const OWN = { ADDRESS: "84.20.17.5", "[KEY]": `["${CLIENT}"]`, '"$(cat ~/.ssh/id_ed25519.pub)"': SSH_KEY };

/** A configuration after its reader did what the examples below its mistakes say, one after the other. */
export function mended(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const followed: Record<string, string> = { ...config };
  for (const example of new Set(mistakes(config).map(({ example }) => example))) {
    const [, removed] = /^remove it: pulumi config rm (\S+)$/.exec(example) ?? [];
    const [, name, value] =
      /^for example(?:: pulumi config set |, in stacks\/Pulumi\.STACK\.yaml: tezos-signer:)(\w+):? (.+?)(?:, which .+)?$/.exec(
        example,
      ) ?? [];
    if (removed !== undefined) delete followed[removed];
    else if (name === undefined || value === undefined) throw new Error(`an example of another form: ${example}`);
    else followed[name] = OWN[value as keyof typeof OWN] ?? value;
  }
  return followed;
}

/** Mistakes of a configuration, a line each. */
export const told = (config: Readonly<Record<string, string>>) =>
  mistakes(config).map(({ where, reason }) => `${where}: ${reason}`);
