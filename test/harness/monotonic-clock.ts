/** performance.now() of this process, moved by hand for as long as it is in scope: it stands still otherwise. */
export function monotonicClock(): Disposable & { advance(milliseconds: number): void } {
  const real = performance.now;
  // Whole, or a sum's last bit would decide what happens at the very millisecond.
  let now = Math.ceil(real.call(performance));
  performance.now = () => now;
  return {
    advance(milliseconds) {
      now += milliseconds;
    },
    [Symbol.dispose]() {
      performance.now = real;
    },
  };
}
