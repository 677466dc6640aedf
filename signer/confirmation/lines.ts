import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";

/**
 * Reads a connection line by line, and keeps no more of a line than it may have: whoever sends one without an end fills no
 * memory.
 * @param most characters that a line may have
 * @param take takes a line, without its end; the last may have none
 * @param tooLong is called once, with the beginning of a line that is longer; then nothing more is taken
 */
export function readLines(
  socket: Socket,
  most: number,
  take: (line: string) => void,
  tooLong: (beginning: string) => void,
): void {
  const decoder = new StringDecoder("utf8");
  let line = "";
  let isOver = false;
  socket.on("data", (chunk: Buffer) => {
    const [first = "", ...next] = decoder.write(chunk).split("\n");
    for (const [index, piece] of [line + first, ...next].entries()) {
      if (isOver || socket.destroyed) return;
      if (piece.length > most) {
        isOver = true;
        line = "";
        tooLong(piece);
        return;
      }
      if (index < next.length) take(piece);
      else line = piece;
    }
  });
  socket.on("end", () => {
    if (!isOver && line !== "") take(line);
  });
}
