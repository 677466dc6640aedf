import { createRequire } from "node:module";

/** Koa's router, as the CommonJS that its package holds beside the module, which brings undici (network/node-http.ts). */
export const Router = createRequire(import.meta.url)("@koa/router") as typeof import("@koa/router").default;
/** Its type: a router of the app whose requests have this state. */
export type Router<State = object> = import("@koa/router").default<State>;
