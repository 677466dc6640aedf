import { relative, resolve } from "node:path";
import type { Settings } from "./schema.ts";

/** Takes every path of settings from the folder of the file that they stand in, wherever the process was started. */
export function pathsFrom(folder: string, settings: Settings): Settings {
  const at = (path: string) => pathFrom(folder, path);
  const { listen, keys, watermarks, confirmation } = settings;
  const { tls } = listen;
  return {
    ...settings,
    listen: tls === undefined ? listen : { ...listen, tls: { cert: at(tls.cert), key: at(tls.key) } },
    keys: keys.kind === "local" ? { ...keys, path: at(keys.path) } : keys,
    watermarks: watermarks.kind === "sqlite" ? { ...watermarks, path: at(watermarks.path) } : watermarks,
    ...(confirmation && { confirmation: { socket: at(confirmation.socket) } }),
  };
}

/** The path as the process can open it, in its shorter form: a socket's may have 107 bytes. */
export function pathFrom(folder: string, path: string): string {
  const absolute = resolve(folder, path);
  const fromHere = relative("", absolute);
  return fromHere !== "" && fromHere.length < absolute.length ? fromHere : absolute;
}
