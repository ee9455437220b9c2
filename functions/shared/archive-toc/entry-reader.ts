// Reads one entry of a table of contents. Called by the TOC reader only.
import { entryFileName } from './archive-file-names.ts';
import { type TocEntry, type TocHeader, tocSections } from './toc-entry.ts';
import { DamagedField } from './toc-failure.ts';
import {
  MAX_INT,
  type Reading,
  readAscii,
  readBytes,
  readDumpIds,
  readInt,
  readName,
  readOid,
  readPresentName,
} from './toc-fields.ts';

/** No entry is shorter: its numbers, its two OIDs and the lengths of its strings. */
export const SHORTEST_ENTRY_BYTES = 80;

/** Custom format: what is known of the place of an entry's data. */
const OFFSET_UNKNOWN = 1;
const OFFSET_KNOWN = 2;
const NO_DATA = 3;

/** Gives the same string or buffer for the same value, because owners, schemas and kinds repeat in every entry. */
export interface SameValues {
  text(value: string): string;
  bytes(value: Buffer | null): Buffer | null;
}

/** A store of repeated values for one table of contents. */
export function createSameValues(): SameValues {
  const texts = new Map<string, string>();
  const buffers = new Map<string, Buffer>();
  return {
    text: (value) => firstSeen(texts, value, value),
    bytes: (value) => (value === null ? null : firstSeen(buffers, value.toString('latin1'), value)),
  };
}

function firstSeen<T>(seen: Map<string, T>, key: string, value: T): T {
  const first = seen.get(key);
  if (first !== undefined) return first;
  seen.set(key, value);
  return value;
}

/** One whole entry, with the file name or offset at its end checked and left out. */
export function* readEntry(header: TocHeader, same: SameValues): Reading<TocEntry> {
  const entry: TocEntry = {
    dumpId: yield* readInt('the dump ID', 1, MAX_INT),
    hasData: (yield* readInt('the mark for data', 0, 1)) === 1,
    tableOid: yield* readOid('the OID of the catalog'),
    oid: yield* readOid('the OID'),
    tag: yield* readPresentName('the tag'),
    desc: same.text(yield* readAscii('the kind')),
    section: yield* readSection(),
    definition: yield* readBytes('the definition'),
    dropStatement: yield* readBytes('the DROP statement'),
    copyStatement: yield* readBytes('the COPY statement'),
    namespace: same.bytes(yield* readName('the schema')),
    tablespace: same.bytes(yield* readName('the tablespace')),
    tableAccessMethod: same.bytes(yield* readName('the table access method')),
    relkind: header.version === '1.16' ? yield* readInt('the kind of relation', 0, 127) : null,
    owner: same.bytes(yield* readName('the owner')),
    withOids: yield* readTruth('the mark for OIDs'),
    dependencies: yield* readDumpIds('a dependency'),
  };
  if (header.format === 'custom') yield* checkOffset(entry, header.offSize);
  else yield* checkFileName(entry, header);
  return entry;
}

function* readSection(): Reading<TocEntry['section']> {
  const number = yield* readInt('the section', 1, tocSections.length);
  return tocSections[number - 1] ?? 'none';
}

function* readTruth(what: string): Reading<boolean> {
  const text = yield* readAscii(what);
  if (text !== 'true' && text !== 'false')
    throw new DamagedField(`${what} is "${text.slice(0, 20)}" but must be "true" or "false"`);
  return text === 'true';
}

function* checkOffset(entry: TocEntry, offSize: number): Reading<void> {
  const state = (yield 1 + offSize).readUInt8(0);
  const allowed = entry.hasData ? [OFFSET_UNKNOWN, OFFSET_KNOWN] : [NO_DATA];
  if (!allowed.includes(state)) {
    throw new DamagedField(`the state of the offset is ${state} but must be ${allowed.join(' or ')}`);
  }
}

/** The name decides which file is read later, so no other than pg_dump's own is let through. */
function* checkFileName(entry: TocEntry, { version }: TocHeader): Reading<void> {
  const name = yield* readAscii('the file name');
  const expected = entryFileName(entry, version);
  if (name !== expected) throw new DamagedField(`the file name is "${name.slice(0, 100)}" but must be "${expected}"`);
}
