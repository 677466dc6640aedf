/** How long the emulated HSM takes for a signature. */
export interface Latency {
  /** Milliseconds that half of the requests stay below. */
  readonly median: number;
  /** Milliseconds that 99 of 100 requests stay below. */
  readonly p99: number;
}

const Z99 = 2.326;

/** One draw of a log-normal distribution with these quantiles, in milliseconds; long-tailed, as services are. */
export function draw(latency: Latency, random: () => number): number {
  if (latency.median <= 0) return 0;
  const sigma = Math.max(0, Math.log(latency.p99 / latency.median) / Z99);
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return latency.median * Math.exp(sigma * normal);
}
