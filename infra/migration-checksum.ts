// What tells a deployment that there are migrations which the one before did not have.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * SHA-256 over names and contents of the up files of a folder.
 *
 * Other line ends make another one: then `up` runs once more and finds nothing to do. Down files do not count, for a
 * deployment never runs them.
 */
export function migrationChecksum(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder)
    .filter((one) => one.endsWith('.up.sql'))
    .toSorted()) {
    const content = readFileSync(join(folder, name));
    hash.update(`${name}\n${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}
