// Fetches the table of contents of a stored archive into a file for stock pg_restore, and reads it on the way.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { readStored, type Source } from '../archive-data/read-stored.ts';
import type { BackupManifest } from '../backup-manifest.ts';
import { JobFailure } from '../job-failure.ts';
import type { Toc } from './toc-entry.ts';
import { createTocReader } from './toc-reader.ts';

/** Its SHA-256, and what it holds or the words with which our reader refuses it; `file` must be a new one. */
export async function fetchToc(
  source: Source,
  { key, bytes }: BackupManifest['objects'][number],
  file: string,
): Promise<{ sha256: string } & ({ toc: Toc } | { refusal: string })> {
  const hash = createHash('sha256');
  const reader = createTocReader();
  let refusal: string | undefined;
  const parse = <T>(step: () => T): T | undefined => {
    if (refusal !== undefined) return undefined;
    const result = orRefusal(step);
    if (typeof result !== 'object' || result === null || !('refusal' in result)) return result;
    refusal = result.refusal;
    return undefined;
  };
  const handle = await open(file, 'wx', 0o600);
  try {
    for await (const chunk of readStored(source, key, 0, bytes)) {
      hash.update(chunk);
      await handle.writeFile(chunk);
      parse(() => reader.push(chunk));
    }
  } finally {
    await handle.close();
  }
  const toc = parse(() => reader.end());
  const sha256 = hash.digest('hex');
  return toc === undefined ? { sha256, refusal: refusal ?? 'it cannot be read' } : { sha256, toc };
}

/** The reader's refusal as words; every other error is thrown. */
export function orRefusal<T>(step: () => T): T | { refusal: string } {
  try {
    return step();
  } catch (error) {
    if (error instanceof JobFailure && error.code === 'client_tools.failed') return { refusal: error.problem };
    throw error;
  }
}
