// Writes the toc.dat of a directory archive: byte for byte what `pg_dump -Fd` would have written of the same database.
// Never makes up an entry: what is written is what was read, but for the format, the compression and the file names.
import { entryFileName } from './archive-file-names.ts';
import { createByteQueue } from './byte-queue.ts';
import { type ArchiveCodec, archiveCodecs, type Toc, type TocEntry, type TocHeader, tocSections } from './toc-entry.ts';
import { tocFailure } from './toc-failure.ts';
import { ARCHIVE_MAGIC, DIRECTORY_FORMAT } from './toc-header.ts';

interface Output {
  byte(value: number): void;
  int(value: number): void;
  bytes(value: Buffer | null): void;
  text(value: string): void;
  whole(): Buffer;
}

/**
 * The bytes of toc.dat for data files that are stored with `compression`.
 *
 * Throws `client_tools.failed` for lz4 and zstd in an archive of version 1.14, which has no number for them.
 */
export function writeDirectoryToc({ header, entries }: Toc, { compression }: { compression: ArchiveCodec }): Buffer {
  const output = createOutput();
  writeHeader(output, header, compression);
  output.int(entries.length);
  for (const entry of entries) writeEntry(output, entry, header);
  return output.whole();
}

function writeHeader(output: Output, header: TocHeader, compression: ArchiveCodec): void {
  for (const letter of Buffer.from(ARCHIVE_MAGIC)) output.byte(letter);
  for (const part of header.version.split('.')) output.byte(Number(part));
  for (const value of [0, header.intSize, header.offSize, DIRECTORY_FORMAT]) output.byte(value);
  if (header.version === '1.14') output.int(levelOf(header, compression));
  else output.byte(archiveCodecs.indexOf(compression));
  const { second, minute, hour, dayOfMonth, month, yearsSince1900, daylightSaving } = header.createdAt;
  for (const part of [second, minute, hour, dayOfMonth, month, yearsSince1900, daylightSaving]) output.int(part);
  output.bytes(header.dbname);
  output.text(header.serverVersion);
  output.text(header.dumpVersion);
}

function levelOf(header: TocHeader, compression: ArchiveCodec): number {
  if (compression === 'lz4' || compression === 'zstd') {
    throw tocFailure(
      `an archive of version ${header.version} cannot declare ${compression}; it must be none or gzip`,
      'set the compression to gzip, or dump with pg_dump 16 or newer',
    );
  }
  if (compression === 'none') return 0;
  // -1 is what pg_dump writes when no level was asked for; readers only ask whether it is 0.
  return header.codec === 'gzip' ? (header.level ?? -1) : -1;
}

function writeEntry(output: Output, entry: TocEntry, { version }: TocHeader): void {
  output.int(entry.dumpId);
  output.int(entry.hasData ? 1 : 0);
  output.text(String(entry.tableOid));
  output.text(String(entry.oid));
  output.bytes(entry.tag);
  output.text(entry.desc);
  output.int(tocSections.indexOf(entry.section) + 1);
  output.bytes(entry.definition);
  output.bytes(entry.dropStatement);
  output.bytes(entry.copyStatement);
  output.bytes(entry.namespace);
  output.bytes(entry.tablespace);
  output.bytes(entry.tableAccessMethod);
  if (version === '1.16') output.int(entry.relkind ?? 0);
  output.bytes(entry.owner);
  output.text(String(entry.withOids));
  for (const dependency of entry.dependencies) output.text(String(dependency));
  output.bytes(null);
  output.text(entryFileName(entry, version));
}

function createOutput(): Output {
  const queue = createByteQueue();
  const scratch = Buffer.alloc(5);
  const int = (value: number): void => {
    scratch.writeUInt8(value < 0 ? 1 : 0, 0);
    scratch.writeUInt32LE(Math.abs(value), 1);
    queue.append(scratch);
  };
  const bytes = (value: Buffer | null): void => {
    int(value?.length ?? -1);
    if (value !== null) queue.append(value);
  };
  return {
    byte: (value) => queue.append(Uint8Array.of(value)),
    int,
    bytes,
    text: (value) => bytes(Buffer.from(value, 'latin1')),
    whole: () => queue.take(queue.length),
  };
}
