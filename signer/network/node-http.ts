/**
 * Node.js' own HTTP and HTTPS, taken without `import`: an import statement reads all that such a module exports, among it
 * WebSocket, and with that a second HTTP client (undici) is loaded that nobody here asks for. On one slow core that is a
 * twentieth of a start.
 * @module
 */
export const http = process.getBuiltinModule("node:http");
export const https = process.getBuiltinModule("node:https");
