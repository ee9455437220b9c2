// What the benchmarks count with: medians, ratios and the order of the runs. Pure functions.

export interface Spread {
  median: number;
  min: number;
  max: number;
  /** How many values there were. */
  count: number;
}

/** The middle value, or the mean of the two middle ones; throws for no values, because 0 would look like a good result. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('the median of no values does not exist');
  return (lower + upper) / 2;
}

/** Median and range of the values; undefined when there are none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), count: values.length };
}

/** The smallest of the values that `share` of them, 0 to 1, do not exceed (nearest rank); undefined when there are none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** How many times the base; undefined when one of them was not measured or the base is not above 0. */
export function ratioOf(value: number | undefined, base: number | undefined): number | undefined {
  if (value === undefined || base === undefined || !(base > 0)) return undefined;
  return value / base;
}

/** Numbers from 0 (inclusive) to 1 (exclusive), the same ones for the same seed (mulberry32, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Every item once in each round, in an order of its own in each round (Fisher-Yates).
 *
 * So a machine that gets slower or faster over time does so to all cases alike, and none always follows the same other.
 */
export function interleave<Item>(
  items: readonly Item[],
  rounds: number,
  random: () => number,
): { round: number; item: Item }[] {
  return Array.from({ length: rounds }, (_, index) =>
    shuffled(items, random).map((item) => ({ round: index + 1, item })),
  ).flat();
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const waiting = [...items];
  const order: Item[] = [];
  while (waiting.length > 0) order.push(...waiting.splice(Math.floor(random() * waiting.length), 1));
  return order;
}
