// The values of a statement that is put together from parts: each gets the next number.

export interface Parameters {
  /** Keeps the value and answers its place in the statement, `$1`, `$2` …. */
  add(value: unknown): string;
  readonly values: readonly unknown[];
}

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return {
    add: (value) => `$${values.push(value)}`,
    values,
  };
}
