// A table of contents of test/fixtures/toc as a restore opens it, with a manifest that fits; there are no rows behind it.
import { storedFileName } from '../../functions/shared/archive-toc/archive-file-names.ts';
import { dumpedContents } from '../../functions/shared/archive-toc/dumped-contents.ts';
import type { Toc, TocEntry } from '../../functions/shared/archive-toc/toc-entry.ts';
import { backupFiles } from '../../functions/shared/backup-files.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { OpenArchive } from '../../functions/shared/restore/open-archive.ts';
import { directoryToc, readWhole } from '../fixtures/toc/toc-fixtures.ts';
import { makeArchive } from './stored-archive.ts';

const BACKUP_ID = '20261122T020000Z';

/** `ranges` says how many each table has (1), `bytes` how large each is (100). */
export function openedArchive(
  folder: string,
  { ranges = {}, bytes = {} }: { ranges?: Record<string, number>; bytes?: Record<string, number> } = {},
): OpenArchive {
  const toc = readWhole(directoryToc(folder, 'gzip'));
  const contents = dumpedContents(toc);
  const keys = backupKeys('orders', BACKUP_ID);
  const { manifest: made } = makeArchive({ database: 'orders', backupId: BACKUP_ID, codec: 'gzip', seed: 1 });
  const tables = contents.tables.map(({ dumpId, schema, name, fileName }): BackupManifest['tables'][number] => {
    const count = ranges[name] ?? 1;
    const size = bytes[name] ?? 100;
    return {
      schema,
      name,
      dumpId,
      key: keys.archiveFile(storedFileName(fileName, 'gzip')),
      rows: count,
      bytes: count * size,
      ranges: Array.from({ length: count }, (_, index) => ({
        blocks: [index, index === count - 1 ? null : index + 1],
        rows: 1,
        bytes: size,
        crc32: '00000000',
        sha256: '0'.repeat(64),
        length: 10,
        offset: index * 10,
      })),
    };
  });
  const largeObjects = contents.largeObjects
    .flatMap(({ oids }) => oids)
    .map((oid) => ({ key: keys.archiveFile(`blob_${oid}.dat.gz`), bytes: 20, etag: 'e', sha256: '0'.repeat(64) }));
  const manifest = { ...made, tables, objects: largeObjects };
  return { manifest, toc, contents, files: backupFiles(manifest), folder: 'none' };
}

/** `TABLE public.docs`, as the tests name entries. */
export function nameOf({ desc, namespace, tag }: TocEntry): string {
  return `${desc} ${namespace === null || namespace.length === 0 ? '' : `${namespace.toString('utf8')}.`}${tag.toString('utf8')}`;
}

/** The only entry with that name. */
export function entryOf({ entries }: Pick<Toc, 'entries'>, name: string): TocEntry {
  const [found, ...more] = entries.filter((entry) => nameOf(entry) === name);
  if (found === undefined || more.length > 0) throw new Error(`${more.length + (found ? 1 : 0)} entries are "${name}"`);
  return found;
}
