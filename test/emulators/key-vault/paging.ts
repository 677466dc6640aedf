import { badParameter } from "./errors.ts";

const MOST = 25;

/**
 * One page of a list: 25 items at most. The service may send fewer, even none, and still a nextLink: here every other
 * page is empty.
 * @param query of the request: `maxresults`, and `$skiptoken` of the nextLink before
 */
export function paged<Item>(items: readonly Item[], url: string, query: URLSearchParams) {
  const size = Number(query.get("maxresults") ?? MOST);
  if (!Number.isInteger(size) || size < 1 || size > MOST) throw badParameter("Property maxresults has invalid value");
  const [start = 0, empty = 0] = decode(query.get("$skiptoken"));
  const value = empty === 1 ? [] : items.slice(start, start + size);
  const end = start + value.length;
  if (end >= items.length) return { value, nextLink: null };
  const next = new URLSearchParams({ "api-version": query.get("api-version") ?? "", maxresults: String(size) });
  next.set("$skiptoken", encode(end, 1 - empty));
  return { value, nextLink: `${url}?${next}` };
}

const encode = (start: number, empty: number) => Buffer.from(`${start}!${empty}`).toString("base64url");
const decode = (token: string | null) =>
  token === null ? [] : Buffer.from(token, "base64url").toString().split("!").map(Number);
