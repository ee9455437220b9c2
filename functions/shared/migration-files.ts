// Reads a folder of numbered SQL files, checks numbers and pairs, and splits each file. Used by migrate and bootstrap.
import { JobFailure } from './job-failure.ts';
import { type MigrationHeader, parseHeader } from './migration-header.ts';
import { checkMigrationRules } from './migration-rules.ts';
import { type MigrationStatement, splitMigration } from './migration-statements.ts';
import { decodeMigration } from './migration-text.ts';
import { unitsOf } from './migration-units.ts';
import { listSqlFiles, readSqlBytes, sqlFolder } from './sql-files.ts';

export interface MigrationScript {
  /** `migrations/0001_initial_schema.up.sql` */
  readonly file: string;
  readonly statements: readonly MigrationStatement[];
  readonly checksum: string;
  readonly header: MigrationHeader;
}

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly up: MigrationScript;
  /** Undefined for schema nightshift, which is never reverted file by file. */
  readonly down: MigrationScript | undefined;
  /** Why it cannot be reverted, from the header of its down file. */
  readonly irreversibleBecause: string | undefined;
}

/** Where the files come from; the tests give their own. */
export interface MigrationFolder {
  /** `migrations`, or the path that was given: the first part of file names in messages. */
  readonly name: string;
  list(): string[];
  /** Throws `migrate.files_wrong` for what is not UTF-8. */
  read(name: string): string;
}

/** The folder `sql/<name>` of the product. */
export function productFolder(name: 'migrations' | 'nightshift'): MigrationFolder {
  return {
    name,
    list: () => {
      try {
        return listSqlFiles(name);
      } catch (error) {
        throw filesWrong(`folder "${sqlFolder(name)}" cannot be read`, 'the bundle must carry the sql folder', error);
      }
    },
    read: (file) => decodeMigration(`${name}/${file}`, readSqlBytes(`${name}/${file}`)),
  };
}

/**
 * The migrations of a folder in order of number.
 *
 * Throws `migrate.files_wrong` naming every gap, duplicate, misnamed file and missing half; then for a syntax error or a
 * statement that a file may not hold. Reads files only.
 */
export async function readMigrations(folder: MigrationFolder, paired: boolean): Promise<Migration[]> {
  const names = folder.list();
  const problems = nameProblems(names, paired);
  if (problems.length > 0) {
    throw filesWrong(
      `the files in "${folder.name}" do not fit together: ${problems.join('; ')}`,
      paired
        ? 'files are NNNN_name.up.sql and NNNN_name.down.sql, numbered from 0001 without gaps'
        : 'files are NNNN_name.sql, numbered from 0001 without gaps',
    );
  }
  const migrations: Migration[] = [];
  for (const name of names.filter((one) => !one.endsWith('.down.sql'))) {
    const up = await readScript(folder, name, paired);
    if (up.statements.length === 0) throw filesWrong(`"${up.file}" has no statement`, 'remove the file or fill it');
    const { number, title } = partsOf(name);
    const downName = paired ? name.replace(/\.up\.sql$/, '.down.sql') : undefined;
    const down = downName === undefined ? undefined : await readScript(folder, downName, paired);
    const irreversibleBecause = down ? irreversible(down) : undefined;
    migrations.push({ number, name: title, up, down, irreversibleBecause });
  }
  return migrations;
}

async function readScript(folder: MigrationFolder, name: string, mayRunAlone: boolean): Promise<MigrationScript> {
  const file = `${folder.name}/${name}`;
  const { statements, comments, checksum } = await splitMigration(file, folder.read(name));
  const header = parseHeader(file, comments);
  checkMigrationRules(file, statements, !mayRunAlone);
  const script = { file, statements, checksum, header };
  unitsOf(script);
  return script;
}

const PAIRED_NAME = /^(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.(up|down)\.sql$/;
const SINGLE_NAME = /^(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.sql$/;

function partsOf(name: string): { number: number; title: string } {
  const [number = '', ...rest] = name.split('_');
  return { number: Number.parseInt(number, 10), title: rest.join('_').replace(/(\.up|\.down)?\.sql$/, '') };
}

/** Every problem with the names alone. */
function nameProblems(names: readonly string[], paired: boolean): string[] {
  const pattern = paired ? PAIRED_NAME : SINGLE_NAME;
  const problems = names.filter((name) => !pattern.test(name)).map((name) => `"${name}" is not named as a migration`);
  const good = names.filter((name) => pattern.test(name));
  const titles = new Map<number, Set<string>>();
  for (const name of good) {
    const { number, title } = partsOf(name);
    titles.set(number, (titles.get(number) ?? new Set()).add(title));
  }
  const numbers = [...titles.keys()].toSorted((a, b) => a - b);
  numbers.forEach((number, index) => {
    if (number !== index + 1 && numbers[index - 1] !== number - 1) {
      problems.push(index === 0 ? `the first is ${pad(number)}, not 0001` : `there is none before ${pad(number)}`);
    }
    const named = [...(titles.get(number) ?? [])];
    if (named.length > 1) problems.push(`${pad(number)} is used twice: ${named.map((name) => `"${name}"`).join(', ')}`);
  });
  if (paired) {
    for (const name of good) {
      const other = name.endsWith('.up.sql')
        ? name.replace('.up.sql', '.down.sql')
        : name.replace('.down.sql', '.up.sql');
      if (!names.includes(other)) problems.push(`"${name}" has no "${other}"`);
    }
  }
  return problems;
}

function pad(number: number): string {
  return String(number).padStart(4, '0');
}

function irreversible(down: MigrationScript): string | undefined {
  const reason = down.header.irreversibleBecause;
  if (reason === undefined && down.statements.length === 0) {
    throw filesWrong(
      `"${down.file}" has no statement`,
      'write what reverts the migration, or the header line: -- nightshift: irreversible because …',
    );
  }
  if (reason !== undefined && down.statements.length > 0) {
    throw filesWrong(`"${down.file}" says that it is irreversible, and has statements`, 'remove the one or the other');
  }
  return reason;
}

function filesWrong(problem: string, hint: string, cause?: unknown): JobFailure {
  return new JobFailure({ code: 'migrate.files_wrong', problem, safeState: 'No migration was run', hint, cause });
}
