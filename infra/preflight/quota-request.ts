/**
 * How more of a quota is asked for. Pure.
 * @module
 */
import { word } from "../arm/word.ts";

/**
 * Returns the command that asks for a higher limit: Quota - Update (Microsoft.Quota, 2023-02-01). Most small ones are
 * granted at once; where Azure refuses, the portal asks a person.
 * @param provider such as `Microsoft.Network`
 * @param name of the quota
 */
export function askForMore(
  subscription: string,
  provider: string,
  location: string,
  name: string,
  limit: number,
): string {
  const quota = `${subscription}/providers/${provider}/locations/${location}/providers/Microsoft.Quota/quotas/${name}`;
  const body = { properties: { name: { value: name }, limit: { limitObjectType: "LimitValue", value: limit } } };
  return `az rest --method patch --url ${word(`${quota}?api-version=2023-02-01`)} --body ${word(JSON.stringify(body))}`;
}
