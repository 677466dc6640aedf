import { loadHardware, missingHardware } from "../hardware.ts";

/** A serial port that is open. */
export interface SerialPort {
  /** Reads what is there, and waits for a byte where nothing is. */
  read(buffer: Buffer, offset: number, length: number): Promise<{ readonly bytesRead: number }>;
  write(buffer: Buffer): Promise<void>;
  /** Drops what was received and not read, and what was written and not sent. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What is used of serialport's own binding to the system. It puts the port into raw mode, and locks it. */
interface Binding {
  open(options: { readonly path: string; readonly baudRate: number }): Promise<SerialPort>;
}

/** The package with compiled code, which hardware/ has and the product's own packages have not. */
const PACKAGE = "@serialport/bindings-cpp";

/** What the board's firmware sets. Over USB it means nothing, but for 1,200: closing that resets the board. */
const BAUD_RATE = 57_600;

/** Says why the package cannot be had; undefined where it is there. */
export function missingDriver(): string | undefined {
  return missingHardware("tezio", PACKAGE);
}

/** Opens a port. @throws Error of the package */
export function openSerialPort(path: string): Promise<SerialPort> {
  const { autoDetect } = loadHardware(PACKAGE) as { autoDetect(): Binding };
  return autoDetect().open({ path, baudRate: BAUD_RATE });
}
