/**
 * Waits until what was asked just before is on the wire: the key's question, which its agent sends in the next tick, and
 * which would wait for whatever a write computes. It is still the same turn of the event loop, and nothing is read meanwhile.
 */
export function questionsSent(): Promise<void> {
  return new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));
}
