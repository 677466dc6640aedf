/**
 * Where the stacks' files lie: in a folder that git leaves out whole, so that `git pull` never meets yours, and that may be
 * a private repository itself. Pulumi has it from `stackConfigDir` in Pulumi.yaml.
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The folder, from the project's. */
export const STACK_FOLDER = "stacks";

/** Returns the path of a stack's file, from the project's folder. */
export function stackFile(stack: string): string {
  return `${STACK_FOLDER}/Pulumi.${stack}.yaml`;
}

/**
 * Says what to do with stacks' files that lie beside Pulumi.yaml, as Pulumi had them by itself and this project until
 * 0.2.0: they are not read any more, and the stack would seem to have no configuration.
 * @param folder the project's
 * @returns undefined where there are none
 */
export function misplaced(folder: string): string | undefined {
  const files = readdirSync(folder).filter((name) => /^Pulumi\..+\.yaml$/.test(name));
  if (files.length === 0) return undefined;
  const twice = files.filter((name) => existsSync(join(folder, STACK_FOLDER, name)));
  const [name] = twice;
  if (name !== undefined) {
    return (
      `${name} lies beside Pulumi.yaml and in ${STACK_FOLDER}/, where alone it is read. \`diff ${name} ${STACK_FOLDER}/${name}\` ` +
      "shows what differs: put what counts into the second, and delete the first"
    );
  }
  return (
    `${files.join(", ")}: the files of stacks lie in ${STACK_FOLDER}/ now, and nothing reads them beside Pulumi.yaml. ` +
    `Nothing is lost: mkdir -p ${STACK_FOLDER} && mv -n ${files.join(" ")} ${STACK_FOLDER}/`
  );
}
