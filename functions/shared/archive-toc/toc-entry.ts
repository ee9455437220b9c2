// What pg_dump's table of contents (TOC) holds, as the reader gives it and the writer takes it.
// Names and definitions stay bytes: they are in the encoding that the archive declares, and must be written back unchanged.

/** Archive versions that are read and written: PostgreSQL 14 and 15 make 1.14, 16 makes 1.15, 17 and 18 make 1.16. */
export const archiveVersions = ['1.14', '1.15', '1.16'] as const;
export type ArchiveVersion = (typeof archiveVersions)[number];

/** In the order of their numbers in the file, from 0. */
export const archiveCodecs = ['none', 'gzip', 'lz4', 'zstd'] as const;
export type ArchiveCodec = (typeof archiveCodecs)[number];

/** In the order of their numbers in the file, from 1. */
export const tocSections = ['none', 'pre-data', 'data', 'post-data'] as const;
export type TocSection = (typeof tocSections)[number];

export interface Toc {
  readonly header: TocHeader;
  /** In the order of the archive. */
  readonly entries: readonly TocEntry[];
  /** Where the table of contents ends, counted from the start of the archive. */
  readonly bytes: number;
}

export interface TocHeader {
  readonly version: ArchiveVersion;
  /** Bytes of a number, without its sign. */
  readonly intSize: 4;
  /** Bytes of a file offset on the machine of pg_dump. */
  readonly offSize: 4 | 8;
  /** What the file is: the head of `pg_dump -Fc`, or the toc.dat of `pg_dump -Fd`. */
  readonly format: 'custom' | 'directory';
  readonly codec: ArchiveCodec;
  /** Only 1.14 says it: 0 is none, -1 is zlib's default. */
  readonly level: number | null;
  readonly createdAt: TocTime;
  readonly dbname: Buffer;
  readonly serverVersion: string;
  readonly dumpVersion: string;
}

/** When pg_dump started, in the time zone of its machine, as C's `struct tm` counts. */
export interface TocTime {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  readonly dayOfMonth: number;
  /** From 0. */
  readonly month: number;
  readonly yearsSince1900: number;
  readonly daylightSaving: number;
}

export interface TocEntry {
  readonly dumpId: number;
  /** Whether a data file (or data block) belongs to it. */
  readonly hasData: boolean;
  /** The catalog that the object is in; 0 for TABLE DATA and whatever has no row of its own. */
  readonly tableOid: number;
  /** For TABLE DATA the table's OID in pg_class. */
  readonly oid: number;
  readonly tag: Buffer;
  /** The kind, as `TABLE DATA`; always ASCII. */
  readonly desc: string;
  readonly section: TocSection;
  readonly definition: Buffer | null;
  readonly dropStatement: Buffer | null;
  readonly copyStatement: Buffer | null;
  readonly namespace: Buffer | null;
  readonly tablespace: Buffer | null;
  readonly tableAccessMethod: Buffer | null;
  /** pg_class.relkind as a character code, 0 for what is no relation; null before 1.16. */
  readonly relkind: number | null;
  readonly owner: Buffer | null;
  readonly withOids: boolean;
  /** Dump IDs; some name entries that pg_dump leaves out of the archive. */
  readonly dependencies: readonly number[];
}
