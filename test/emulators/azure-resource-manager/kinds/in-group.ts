import { badRequest } from "../arm.ts";
import { text } from "../properties.ts";
import type { Kind } from "../subscription.ts";

/**
 * The id and the replacements of a resource in a group.
 * @param provider as in `Microsoft.Network/virtualNetworks`, more levels separated by slashes
 * @param keys inputs that name it, one a level
 * @param name ARM's rule for the last name
 */
export function inGroup(provider: string, keys: readonly string[], name: RegExp): Pick<Kind, "id" | "replaces"> {
  const [namespace, ...types] = provider.split("/");
  return {
    replaces: ["resourceGroupName", ...keys],
    id: (inputs, cloud) => {
      const last = text(inputs, keys.at(-1) ?? "");
      if (!name.test(last)) throw badRequest("InvalidResourceName", `Resource name ${last} is invalid.`);
      const path = types.map((type, level) => `${type}/${text(inputs, keys[level] ?? "")}`).join("/");
      return `${cloud.subscription}/resourceGroups/${text(inputs, "resourceGroupName")}/providers/${namespace}/${path}`;
    },
  };
}

/** Names of most resources of the network and of machines: 1-80, first a letter or digit, last no point or hyphen. */
export const USUAL_NAME = /^[A-Za-z0-9]([\w.-]{0,78}\w)?$/;
