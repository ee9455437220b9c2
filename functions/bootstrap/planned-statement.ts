// One statement of bootstrap with the words for it; `shown` is what may be printed.

export interface PlannedStatement {
  /** What it brings about, for the list of changes. */
  readonly what: string;
  readonly sql: string;
  /** The same without a password verifier. */
  readonly shown: string;
}

/** A statement that holds nothing secret. */
export function plainStatement(what: string, sql: string): PlannedStatement {
  return { what, sql, shown: sql };
}
