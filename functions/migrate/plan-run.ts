// The dry run of up and down: which statements would be sent, and what a reversal would lose. Changes nothing.
import type { Migration } from '../shared/migration-files.ts';
import { refuseChanged } from '../shared/migration-history.ts';
import { scriptOf } from '../shared/migration-run.ts';
import { unitsOf } from '../shared/migration-units.ts';
import { type ChosenMigrations, chooseMigrations } from './choose-migrations.ts';
import type { MigrateResult } from './contract.ts';
import { describeLosses } from './describe-losses.ts';
import { describeState, readProgress } from './engine/run-migrations.ts';
import type { MigrateContext } from './run-migrate.ts';

/** What a run now would do. */
export async function planRun(
  context: MigrateContext,
  files: readonly Migration[],
  action: 'up' | 'down',
): Promise<MigrateResult> {
  return await context.database.withSession(async (session) => {
    const { state, running } = await readProgress(session, files);
    refuseChanged(state);
    const chosen = chooseMigrations(state, { action, to: context.event.to });
    return {
      action,
      dryRun: true,
      ...describeState(context, state),
      running,
      planned: describePlan(chosen),
      sql: sqlOf(chosen),
      loses: action === 'down' ? await describeLosses(session, chosen.migrations) : [],
    };
  });
}

/** The files that would be run, in order; of a half done one what is left. */
function describePlan(chosen: ChosenMigrations) {
  return chosen.migrations.map((migration) => {
    const { file, statements } = scriptOf(migration, chosen.direction);
    return {
      file,
      statements: statements
        .filter(({ number }) => number > statementsDone(chosen, migration))
        .map(({ line, firstLine }) => `${line}: ${firstLine}`),
    };
  });
}

/** The text that the server would get, with the transactions that migrate makes; its own records are left out. */
function sqlOf(chosen: ChosenMigrations): string {
  const lines: string[] = [];
  for (const migration of chosen.migrations) {
    const script = scriptOf(migration, chosen.direction);
    lines.push(`-- ${script.file}`);
    for (const unit of unitsOf(script)) {
      const statements = unit.kind === 'transaction' ? unit.statements : [unit.statement];
      const left = statements.filter(({ number }) => number > statementsDone(chosen, migration));
      if (left.length === 0) continue;
      if (unit.kind === 'transaction') lines.push('begin;');
      if (unit.kind === 'long') lines.push(`-- alone, without a time limit: ${unit.operation}`);
      if (unit.kind === 'batch')
        lines.push(`-- in batches of ${unit.batch.rows} rows by ${unit.batch.column}, each a transaction`);
      lines.push(...left.map(({ text }) => `${text};`));
      if (unit.kind === 'transaction') lines.push('commit;');
    }
    lines.push('');
  }
  return lines.join('\n');
}

function statementsDone({ halfDone }: ChosenMigrations, migration: Migration): number {
  return halfDone?.migration === migration ? halfDone.statementsDone : 0;
}
