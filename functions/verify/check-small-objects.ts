// Checks globals.sql, inventory.json and the lists of large objects: their bytes, and that the lists name what toc.dat and the manifest name.
import { createHash } from 'node:crypto';
import { MissingObject, readStored, type Source } from '../shared/archive-data/read-stored.ts';
import type { DumpedContents } from '../shared/archive-toc/dumped-contents.ts';
import type { BackupFiles, ManifestObject } from '../shared/backup-files.ts';

type Add = (key: string, problem: string) => void;

/** Adds a finding when globals.sql or inventory.json is not what the manifest says. */
export async function checkWhole(source: Source, object: ManifestObject, add: Add): Promise<void> {
  await readChecked(source, object, add, () => {});
}

/** Adds a finding for every difference between the lists, `contents` of toc.dat (when it could be read) and the manifest. */
export async function checkLists(
  source: Source,
  files: BackupFiles,
  contents: DumpedContents | undefined,
  add: Add,
): Promise<void> {
  const wanted = new Map(contents?.largeObjects.map(({ fileName, oids }) => [fileName, oids]));
  const listed: number[] = [];
  for (const list of files.lists) {
    const name = list.key.slice(list.key.lastIndexOf('/') + 1);
    const oids = await readList(source, list, add);
    if (oids === undefined) return;
    listed.push(...oids);
    const must = wanted.get(name);
    wanted.delete(name);
    if (contents === undefined) continue;
    if (must === undefined) add(list.key, 'toc.dat has no entry for it');
    else compareOids(oids, must, 'toc.dat', (problem) => add(list.key, problem));
  }
  for (const name of wanted.keys()) add(`archive/${name}`, 'toc.dat names it but the manifest does not');
  compareOids(
    listed,
    files.largeObjects.map(({ oid }) => oid),
    'the manifest',
    (problem) => add('archive/blobs.toc', `all lists together: ${problem}`),
  );
}

/** The OIDs in it; undefined when it is damaged, which is a finding. */
async function readList(source: Source, list: ManifestObject, add: Add): Promise<number[] | undefined> {
  const chunks: Buffer[] = [];
  const isSound = await readChecked(source, list, add, (chunk) => void chunks.push(chunk));
  if (!isSound) return undefined;
  const lines = Buffer.concat(chunks).toString('latin1').split('\n');
  const end = lines.pop();
  const oids = lines.map((line) => Number(/^([1-9]\d{0,9}) blob_\1\.dat$/.exec(line)?.[1]));
  const wrong = oids.findIndex((oid) => Number.isNaN(oid));
  if (wrong === -1 && end === '') return oids;
  const line = wrong === -1 ? lines.length : wrong;
  add(list.key, `line ${line + 1} is not "<OID> blob_<OID>.dat" with a newline`);
  return undefined;
}

function compareOids(is: readonly number[], must: readonly number[], of: string, add: (problem: string) => void): void {
  const [here, there] = [new Set(is), new Set(must)];
  const missing = [...there].filter((oid) => !here.has(oid));
  const surplus = [...here].filter((oid) => !there.has(oid));
  const [lost = 0] = missing;
  const [added = 0] = surplus;
  if (missing.length > 0) add(`${missing.length} large objects of ${of} are missing, the first is ${lost}`);
  if (surplus.length > 0) add(`${surplus.length} large objects are not in ${of}, the first is ${added}`);
  if (here.size !== is.length) add(`${is.length - here.size} large objects are listed twice`);
}

async function readChecked(
  source: Source,
  { key, bytes, sha256 }: ManifestObject,
  add: Add,
  take: (chunk: Buffer) => void,
): Promise<boolean> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of readStored(source, key, 0, bytes)) {
      hash.update(chunk);
      take(chunk);
    }
  } catch (error) {
    // The comparison with the list of objects has told it.
    if (error instanceof MissingObject) return false;
    throw error;
  }
  const actual = hash.digest('hex');
  if (actual === sha256) return true;
  add(key, `SHA-256: ${actual}, must be ${sha256 ?? 'in the manifest, which has none'}`);
  return false;
}
