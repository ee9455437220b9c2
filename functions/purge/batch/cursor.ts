// How far a run has come, as nightshift.purge_run keeps it: the timestamp of the last row apart, the rest of its place as JSON.
import type { Position, RowWork } from './row-work.ts';

export interface StoredCursor {
  readonly timestamp: string | null;
  readonly key: string | null;
}

/** An erasure has no cursor: what it has deleted is gone, and it begins anew. */
export function storedCursor(work: Pick<RowWork, 'isDated'>, position: Position): StoredCursor {
  if (!work.isDated) return { timestamp: null, key: null };
  return { timestamp: position[0] ?? null, key: JSON.stringify(position.slice(1)) };
}

/** A cursor of another shape (the primary key was changed in between) is dropped: the run begins at the oldest row. */
export function readCursor(work: Pick<RowWork, 'order'>, { timestamp, key }: StoredCursor): Position | undefined {
  if (timestamp === null || key === null) return undefined;
  const rest: unknown = JSON.parse(key);
  if (!Array.isArray(rest) || rest.length !== work.order.length - 1) return undefined;
  return [timestamp, ...rest.map(String)];
}
