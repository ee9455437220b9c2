// Reads the SQL files of the product: beside the bundle in Lambda, in the repository's sql/ folder otherwise.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = new URL('./sql/', import.meta.url);
const root = existsSync(beside) ? beside : new URL('../../sql/', import.meta.url);

/** They do not change while a process runs, and a run of many migrations asks for the same ones again and again. */
const texts = new Map<string, string>();

/** The text of `sql/<path>`, e.g. `backup/server.sql`. */
export function readSqlFile(path: string): string {
  const known = texts.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(path, root), 'utf8');
  texts.set(path, text);
  return text;
}

/** Its bytes, for a reader that must know whether they are text. */
export function readSqlBytes(path: string): Uint8Array {
  return readFileSync(new URL(path, root));
}

/** The file names in `sql/<folder>` in order of name. */
export function listSqlFiles(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, root))
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
}

/** The folder itself, for messages. */
export function sqlFolder(folder: string): string {
  return fileURLToPath(new URL(`${folder}/`, root));
}
