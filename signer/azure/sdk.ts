import { createRequire } from "node:module";

/**
 * Azure's SDK, loaded where it is wanted, and as the CommonJS that its packages hold beside the modules: that is less for a
 * start to load. One way for all of the program, so that no part of the SDK is loaded twice.
 * @module
 */
const load = createRequire(import.meta.url);

/*
 * The SDK looks at each request whether its body is a form. Node.js makes that class when its name is first read, and loads
 * undici for it, a second HTTP client that nobody here asks for: a twentieth of a start and 17 MB. Without the name the SDK
 * does not look, and nothing here sends a form.
 */
Reflect.deleteProperty(globalThis, "FormData");

/** Loads the SDK of Key Vault. */
export const keyVaultSdk = () => load("@azure/keyvault-keys") as typeof import("@azure/keyvault-keys");
/** Loads the SDK of tables. */
export const tablesSdk = () => load("@azure/data-tables") as typeof import("@azure/data-tables");
/** Loads the SDK of identities. */
export const identitySdk = () => load("@azure/identity") as typeof import("@azure/identity");
