// Runs one asynchronous function over a list with a bounded number at the same time.

/**
 * The results in the order of the list; at most `atOnce` run at the same time.
 *
 * The first failure is thrown after those that were running have ended; nothing is begun after it.
 */
export async function inParallel<T, R>(
  atOnce: number,
  list: readonly T[],
  run: (one: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const waiting = list.entries();
  const worker = async () => {
    for (const [index, one] of waiting) {
      if (failures.length > 0) return;
      try {
        results[index] = await run(one, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
