/** What /status shows of the balancer in front of this machine. */
export interface BalancerState {
  /** When it asked last, ISO 8601. */
  readonly askedAt: string;
  /** What it was answered then, and how often in a row. */
  readonly ready: boolean;
  readonly times: number;
  /** Why nothing new is to come here; null while it is. */
  readonly leaving: string | null;
  /** Whether it has been told so often enough to send nothing new. */
  readonly left: boolean;
}
