import { relative, resolve } from "node:path";
import type { Settings } from "./schema.ts";

/** Takes every path of settings from the folder of the file that they stand in, wherever the process was started. */
export function pathsFrom(folder: string, settings: Settings): Settings {
  const at = (path: string) => pathFrom(folder, path);
  const { listen, keys, watermarks, confirmation, metrics, refusedPayloads } = settings;
  return {
    ...settings,
    listen: portFrom(at, listen),
    keys: keysFrom(at, keys),
    watermarks: watermarks.kind === "sqlite" ? { ...watermarks, path: at(watermarks.path) } : watermarks,
    ...(confirmation && { confirmation: { socket: at(confirmation.socket) } }),
    ...(metrics && { metrics: { ...portFrom(at, metrics), ...tokenFrom(at, metrics) } }),
    ...(refusedPayloads && { refusedPayloads: { ...refusedPayloads, file: at(refusedPayloads.file) } }),
  };
}

/** Takes the files of a port's certificate from the folder. */
function portFrom<Port extends Pick<Settings["listen"], "tls">>(at: (path: string) => string, port: Port): Port {
  const { tls } = port;
  return tls === undefined ? port : { ...port, tls: { cert: at(tls.cert), key: at(tls.key) } };
}

function tokenFrom(at: (path: string) => string, { token }: NonNullable<Settings["metrics"]>) {
  return token === undefined ? {} : { token: { file: at(token.file) } };
}

function keysFrom(at: (path: string) => string, keys: Settings["keys"]): Settings["keys"] {
  switch (keys.kind) {
    case "local":
      return { ...keys, path: at(keys.path) };
    case "pkcs11":
      return { ...keys, module: at(keys.module), pin: { file: at(keys.pin.file) } };
    case "tezio":
      return { ...keys, device: at(keys.device) };
    default:
      return keys;
  }
}

/** Returns the path as the process can open it, in its shorter form: a socket's may have 107 bytes. */
export function pathFrom(folder: string, path: string): string {
  const absolute = resolve(folder, path);
  const fromHere = relative("", absolute);
  return fromHere !== "" && fromHere.length < absolute.length ? fromHere : absolute;
}
