// Lints the migrations of a folder in a process of its own, as squawk does: started by the benchmark with the folder.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lintMigrations } from '../../functions/migrate/lint/lint-migrations.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';

const folder = process.argv[2] ?? '';
const migrations = await readMigrations(
  {
    name: 'migrations',
    list: () => readdirSync(folder).toSorted(),
    read: (name) => readFileSync(join(folder, name), 'utf8'),
  },
  true,
);
process.stdout.write(`${JSON.stringify(lintMigrations(migrations, null))}\n`);
