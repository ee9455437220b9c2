// The unfinished multipart uploads of one bucket: a folder per upload, a file and a record per part; they survive a
// restart. Nothing here makes an object: complete-upload.ts does.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../functions/shared/clock.ts';
import type { ChecksumAlgorithm } from './create-checksum.ts';
import type { IdSource } from './create-id-source.ts';
import { createLock, type Lock } from './create-lock.ts';
import type { ReceivedBody } from './receive-body.ts';
import { storeError } from './store-error.ts';
import type { StorePaths } from './store-paths.ts';
import { type Retention, type StoredChecksum, unfinished, writeJson } from './version-record.ts';

export interface UploadRequest {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly retention: Retention | undefined;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly type: StoredChecksum['type'] } | undefined;
}

export interface Upload extends UploadRequest {
  readonly uploadId: string;
  /** ISO instant. */
  readonly initiated: string;
}

export interface UploadedPart extends ReceivedBody {
  readonly partNumber: number;
  readonly lastModified: string;
  readonly file: string;
}

export interface BucketUploads {
  create(request: UploadRequest): Promise<Upload>;
  /** Throws NoSuchUpload. */
  find(key: string, uploadId: string): Upload;
  list(): readonly Upload[];
  /** In the order of their numbers. */
  parts(upload: Upload): readonly UploadedPart[];
  /** Keeps the file `incoming` as a part; a part of the same number is replaced. */
  addPart(upload: Upload, partNumber: number, incoming: string, body: ReceivedBody): Promise<UploadedPart>;
  /** Runs a section while no part can be added and the upload cannot end otherwise; throws NoSuchUpload when it has ended. */
  hold<T>(upload: Upload, section: () => Promise<T>): Promise<T>;
  /** Forgets an upload and its parts; call it inside `hold`. */
  remove(upload: Upload): Promise<void>;
}

interface OpenUpload {
  readonly upload: Upload;
  readonly parts: Map<number, UploadedPart>;
  readonly lock: Lock;
}

const uploadRecord = 'upload.json';

/** Reads the uploads that earlier runs left open. */
export async function openBucketUploads(
  paths: StorePaths,
  clock: Pick<Clock, 'now'>,
  ids: IdSource,
): Promise<BucketUploads> {
  const uploads = new Map<string, OpenUpload>();
  for (const uploadId of await readdir(paths.uploads)) {
    ids.noteId(uploadId);
    const found = await readUpload(join(paths.uploads, uploadId));
    if (found !== undefined) uploads.set(uploadId, found);
  }

  const open = (upload: Upload) => {
    const found = uploads.get(upload.uploadId);
    if (found === undefined) throw noSuchUpload();
    return found;
  };
  const hold: BucketUploads['hold'] = (upload, section) =>
    open(upload).lock(async () => {
      open(upload);
      return await section();
    });

  return {
    hold,
    async create(request) {
      const upload = { ...request, uploadId: ids.uploadId(), initiated: clock.now().toISOString() };
      await mkdir(join(paths.uploads, upload.uploadId));
      await writeJson(join(paths.uploads, upload.uploadId, uploadRecord), upload);
      uploads.set(upload.uploadId, { upload, parts: new Map(), lock: createLock() });
      return upload;
    },
    find(key, uploadId) {
      const found = uploads.get(uploadId);
      if (found === undefined || found.upload.key !== key) throw noSuchUpload();
      return found.upload;
    },
    list: () => [...uploads.values()].map((found) => found.upload),
    parts: (upload) => [...open(upload).parts.values()].toSorted((a, b) => a.partNumber - b.partNumber),
    addPart: (upload, partNumber, incoming, body) =>
      hold(upload, async () => {
        const { parts } = open(upload);
        const folder = join(paths.uploads, upload.uploadId);
        const file = join(folder, `${randomUUID()}.part`);
        const part = { ...body, partNumber, lastModified: clock.now().toISOString(), file };
        await rename(incoming, file);
        await writeJson(join(folder, `${partNumber}.json`), {
          ...part,
          file: undefined,
          name: file.slice(folder.length + 1),
        });
        const replaced = parts.get(partNumber);
        parts.set(partNumber, part);
        if (replaced !== undefined) await rm(replaced.file);
        return part;
      }),
    async remove(upload) {
      uploads.delete(upload.uploadId);
      const folder = join(paths.uploads, upload.uploadId);
      // First the record: a folder without it counts as removed when the process is killed in between.
      await rm(join(folder, uploadRecord));
      await rm(folder, { recursive: true });
    },
  };
}

async function readUpload(folder: string): Promise<OpenUpload | undefined> {
  const names = await readdir(folder);
  if (!names.includes(uploadRecord)) {
    await rm(folder, { recursive: true });
    return undefined;
  }
  const upload = JSON.parse(await readFile(join(folder, uploadRecord), 'utf8')) as Upload;
  const parts = new Map<number, UploadedPart>();
  for (const name of names.filter((found) => /^[0-9]+\.json$/.test(found))) {
    const part = JSON.parse(await readFile(join(folder, name), 'utf8')) as UploadedPart & { name: string };
    parts.set(part.partNumber, { ...part, file: join(folder, part.name) });
  }
  const known = new Set([...parts.values()].map((part) => part.file));
  const isStray = (name: string) =>
    name.endsWith(unfinished) || (name.endsWith('.part') && !known.has(join(folder, name)));
  for (const name of names.filter(isStray)) await rm(join(folder, name));
  return { upload, parts, lock: createLock() };
}

function noSuchUpload() {
  return storeError(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  );
}
