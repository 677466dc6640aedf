/** Time-outs of this many milliseconds are nobody else's. */
const MILLISECONDS = 987_654;

/** A deadline that ends when the test says so, and by no clock. */
export interface HeldDeadline extends Disposable {
  /** For whatever takes a deadline in milliseconds and makes a signal of it by AbortSignal.timeout. */
  readonly milliseconds: number;
  /** Ends every deadline that was begun so far. */
  end(): void;
}

/** Until it is disposed of, AbortSignal.timeout gives signals for its `milliseconds` that `end` ends. */
export function heldDeadline(): HeldDeadline {
  const { timeout } = AbortSignal;
  const begun: AbortController[] = [];
  AbortSignal.timeout = (milliseconds) => {
    if (milliseconds !== MILLISECONDS) return timeout.call(AbortSignal, milliseconds);
    const controller = new AbortController();
    begun.push(controller);
    return controller.signal;
  };
  return {
    milliseconds: MILLISECONDS,
    end() {
      const over = new DOMException("The deadline is over (by script).", "TimeoutError");
      for (const controller of begun.splice(0)) controller.abort(over);
    },
    [Symbol.dispose]: () => {
      AbortSignal.timeout = timeout;
    },
  };
}
