import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** One end of a serial line; the other is a terminal of the system, which any program can open. */
export interface SerialLine {
  /** Such as /dev/pts/7. */
  readonly terminal: string;
  write(bytes: Uint8Array): void;
  /** Ends it as a USB device ends that is unplugged: whoever has the terminal open is told so. */
  end(): Promise<void>;
}

/** Makes a pseudo-terminal, with python3, since Node.js has none. @param onBytes what was written into the terminal */
export async function openSerialLine(onBytes: (bytes: Buffer) => void): Promise<SerialLine> {
  const child = spawn("python3", ["-I", join(import.meta.dirname, "serial-line.py")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  // What is written while it ends is lost, as on a line that is cut.
  child.stdin.on("error", () => undefined);
  const named = Promise.withResolvers<string>();
  let name = Buffer.alloc(0);
  let isNamed = false;
  child.stdout.on("data", (bytes: Buffer) => {
    if (isNamed) return onBytes(bytes);
    name = Buffer.concat([name, bytes]);
    const end = name.indexOf("\n");
    if (end < 0) return;
    isNamed = true;
    named.resolve(name.toString("utf8", 0, end));
    if (end + 1 < name.length) onBytes(name.subarray(end + 1));
  });
  child.once("error", named.reject);
  child.once("exit", () => named.reject(new Error("python3 made no pseudo-terminal")));
  return {
    terminal: await named.promise,
    write: (bytes) => child.stdin.write(bytes),
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
