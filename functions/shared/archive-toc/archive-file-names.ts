// The file names of a directory archive: as its toc.dat says them, and as they lie on disk.
import type { ArchiveCodec, ArchiveVersion, TocEntry } from './toc-entry.ts';

const SUFFIXES: Record<ArchiveCodec, string> = { none: '', gzip: '.gz', lz4: '.lz4', zstd: '.zst' };

/** The name in toc.dat, which never has the codec's suffix; empty for an entry without data. */
export function entryFileName(entry: Pick<TocEntry, 'dumpId' | 'hasData' | 'desc'>, version: ArchiveVersion): string {
  if (!entry.hasData) return '';
  if (entry.desc !== 'BLOBS') return `${entry.dumpId}.dat`;
  return version === '1.16' ? `blobs_${entry.dumpId}.toc` : 'blobs.toc';
}

/** The name on disk of a data file (`12.dat`, `blob_50001.dat`); the `.toc` files of large objects are never compressed. */
export function storedFileName(name: string, codec: ArchiveCodec): string {
  return name.endsWith('.dat') ? `${name}${SUFFIXES[codec]}` : name;
}
