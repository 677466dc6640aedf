/**
 * What is taken away when this process ends, however that is: by one listener for all, the last one first.
 * @module
 */
const ends = new Set<() => void>();

process.once("exit", () => {
  for (const end of [...ends].toReversed()) end();
});

/** Has something done when the process ends. @returns what does it now instead */
export function atEnd(end: () => void): Disposable {
  ends.add(end);
  return {
    [Symbol.dispose]: () => {
      if (ends.delete(end)) end();
    },
  };
}
