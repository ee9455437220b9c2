// Numbers that look random and are the same for the same seed, so that a test that failed can be run again.

/** `NIGHTSHIFT_SEED`, or another one each time: a test says it in its name. */
export const seed = Number(process.env['NIGHTSHIFT_SEED'] ?? Math.trunc(Math.random() * 2 ** 31));

/** Mulberry32: numbers from 0 to below 1. */
export function seededRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
