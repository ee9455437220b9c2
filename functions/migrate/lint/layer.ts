// A map over another one that it does not change: the schema of a down script over that of the run.

/** A map whose entries hide those below it. */
export interface Layer<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  values(): Iterable<Value>;
  keys(): Iterable<string>;
}

/** `own` over `below`; an entry of `own` hides that of the same key. */
export function layer<Value>(own: Map<string, Value>, below?: Layer<Value>): Layer<Value> {
  return {
    get: (key) => own.get(key) ?? (own.has(key) ? undefined : below?.get(key)),
    set: (key, value) => void own.set(key, value),
    keys: () => new Set([...own.keys(), ...(below?.keys() ?? [])]),
    *values() {
      yield* own.values();
      for (const key of below?.keys() ?? []) {
        const value = own.has(key) ? undefined : below?.get(key);
        if (value !== undefined) yield value;
      }
    },
  };
}
