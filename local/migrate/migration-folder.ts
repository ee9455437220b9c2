// The folder of migration files that a person names with --folder.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../functions/shared/job-failure.ts';
import { type MigrationFolder, productFolder } from '../../functions/shared/migration-files.ts';
import { decodeMigration } from '../../functions/shared/migration-text.ts';
import { LocalRunError } from '../local-run-error.ts';

/** That folder, or sql/migrations; throws LocalRunError when there is no file in it. */
export function migrationFolder(directory: string | undefined): MigrationFolder {
  if (directory === undefined) return productFolder('migrations');
  let names: string[];
  try {
    // Also .SQL: that no name of a migration has it is said then, instead of leaving the file out.
    names = readdirSync(directory).filter((name) => /\.sql$/i.test(name));
  } catch (error) {
    throw new LocalRunError(
      `--folder "${directory}" cannot be read: ${describeError(error)}. Nothing was read or changed`,
      'give a folder of NNNN_name.up.sql and NNNN_name.down.sql',
    );
  }
  if (names.length === 0)
    throw new LocalRunError(
      `--folder "${directory}" holds no .sql file. Nothing was read or changed`,
      'give a folder of NNNN_name.up.sql and NNNN_name.down.sql',
    );
  return {
    name: directory,
    list: () => names.toSorted(),
    read: (name) => decodeMigration(`${directory}/${name}`, readFileSync(join(directory, name))),
  };
}
