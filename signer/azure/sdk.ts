import { createRequire } from "node:module";

/**
 * Azure's SDK, loaded where it is wanted, and as the CommonJS that its packages hold beside the modules: that is fewer and
 * cheaper files for a start to load, and none that brings undici (network/node-http.ts). One way for all of the program, so that no
 * part of the SDK is loaded twice.
 * @module
 */
const load = createRequire(import.meta.url);

export const keyVaultSdk = () => load("@azure/keyvault-keys") as typeof import("@azure/keyvault-keys");
export const tablesSdk = () => load("@azure/data-tables") as typeof import("@azure/data-tables");
export const identitySdk = () => load("@azure/identity") as typeof import("@azure/identity");
