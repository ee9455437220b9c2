// Cuts one page out of a sorted list for the three list operations: prefix, delimiter, marker, page size.

export interface PageRequest {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  readonly size: number;
  /** Entries up to and including this one are left out; without an id, all of that key. */
  readonly after: { readonly key: string; readonly id?: string | undefined } | undefined;
}

export interface Page<E> {
  readonly entries: readonly E[];
  /** Each once, in order. */
  readonly commonPrefixes: readonly string[];
  /** Where the next page goes on; undefined when this is the last one. */
  readonly next: { readonly key: string; readonly id: string | undefined } | undefined;
}

/** The page; `entries` must be sorted by the UTF-8 bytes of the key, then by id. */
export function cutPage<E extends { readonly key: string; readonly id: string }>(
  entries: Iterable<E>,
  request: PageRequest,
): Page<E> {
  const chosen: E[] = [];
  const commonPrefixes: string[] = [];
  let last: Page<E>['next'];
  for (const entry of entries) {
    if (!entry.key.startsWith(request.prefix)) continue;
    const common = commonPrefix(entry.key, request);
    if (isBefore(entry, common, request.after)) continue;
    if (common !== undefined && commonPrefixes.at(-1) === common) continue;
    if (chosen.length + commonPrefixes.length >= request.size) {
      // A page of size 0 has no last entry; S3 calls it complete.
      return { entries: chosen, commonPrefixes, next: last };
    }
    if (common === undefined) chosen.push(entry);
    else commonPrefixes.push(common);
    last = common === undefined ? { key: entry.key, id: entry.id } : { key: common, id: undefined };
  }
  return { entries: chosen, commonPrefixes, next: undefined };
}

/** Order of the UTF-8 bytes, negative when `a` comes first. */
export function compareBytes(a: string, b: string): number {
  return Buffer.from(a).compare(Buffer.from(b));
}

function commonPrefix(key: string, { prefix, delimiter }: PageRequest): string | undefined {
  if (delimiter === '') return undefined;
  const found = key.indexOf(delimiter, prefix.length);
  return found === -1 ? undefined : key.slice(0, found + delimiter.length);
}

function isBefore(
  entry: { readonly key: string; readonly id: string },
  common: string | undefined,
  after: PageRequest['after'],
): boolean {
  if (after === undefined) return false;
  // The page before ended with this group.
  if (common === after.key) return true;
  const order = compareBytes(entry.key, after.key);
  if (order !== 0) return order < 0;
  // By order, not by finding the marker: it may have been deleted since.
  return after.id === undefined || entry.id <= after.id;
}
