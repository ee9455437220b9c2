// Downloads the files of an archive, with as many requests at the same time as `aws s3 sync` makes with its defaults. A process
// of its own, bundled; it writes faster than that program, which starts a Python and checks times first.
// usage: node index.mjs <bucket> <prefix> <folder>
import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { inParallel } from '../../functions/shared/in-parallel.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';

/** max_concurrent_requests and multipart_chunksize of the AWS CLI (AWS CLI S3 Configuration). */
const AT_ONCE = 10;
const CHUNK_BYTES = 8 * 1_048_576;

const [bucket = '', prefix = '', folder = ''] = process.argv.slice(2);
const store = createObjectStore(bucket);
mkdirSync(folder);
const chunks: { key: string; file: FileHandle; from: number; length: number }[] = [];
const files: FileHandle[] = [];
for await (const { key, bytes } of store.list(prefix)) {
  const file = await open(join(folder, key.slice(prefix.length)), 'wx');
  files.push(file);
  for (let from = 0; from < bytes; from += CHUNK_BYTES) {
    chunks.push({ key, file, from, length: Math.min(CHUNK_BYTES, bytes - from) });
  }
}
await inParallel(AT_ONCE, chunks, async ({ key, file, from, length }) => {
  const body = await store.getRange(key, from, length);
  if (body === undefined) throw new Error(`"${key}" is gone`);
  let at = from;
  for await (const piece of body as AsyncIterable<Buffer>) {
    await file.write(piece, 0, piece.length, at);
    at += piece.length;
  }
  if (at !== from + length) throw new Error(`"${key}" has ended at byte ${at} instead of ${from + length}`);
});
for (const file of files) await file.close();
