// The actions of `npm run migrate`, by name: each prints its result and answers the exit code.
import type { MigrateResult } from '../../functions/migrate/contract.ts';
import { lintMigrations } from '../../functions/migrate/lint/lint-migrations.ts';
import { runMigrate } from '../../functions/migrate/run-migrate.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { readHistory } from '../../functions/shared/migration-history.ts';
import { contextOf, type MigrateCommand } from './command.ts';
import { lintOutput } from './lint-output.ts';
import type { ActionName } from './parse-arguments.ts';
import { printCertificates, printPlan, printRehearsal } from './print-checks.ts';
import { printMark, printRun, printStatus } from './print-result.ts';
import { runToEnd } from './run-to-end.ts';

export const actions: Readonly<Record<ActionName, (command: MigrateCommand) => Promise<number>>> = {
  status,
  plan,
  lint,
  rehearse,
  up: runOrPlan,
  down: runOrPlan,
  verify,
  baseline: mark,
  repair: mark,
};

async function status(command: MigrateCommand): Promise<number> {
  const { options, opened, folder, coloured } = command;
  const result = await runMigrate(contextOf(command));
  if (result.action !== 'status') throw new TypeError(`the result is that of ${result.action}`);
  const files = await readMigrations(folder, true);
  const history = await opened.database.withSession(async (session) => await readHistory(session, 'application'));
  show(command, result, () => printStatus(result, { files, history: history ?? [], coloured }));
  const isWhole = result.pending.length === 0 && result.halfDone === null && result.changed.length === 0;
  const isAsMade = result.drift === null || result.drift.outcome === 'none';
  return options.exitCode && !(isWhole && isAsMade) ? 1 : 0;
}

async function plan(command: MigrateCommand): Promise<number> {
  const result = await runMigrate(contextOf(command));
  if (result.action !== 'plan') throw new TypeError(`the result is that of ${result.action}`);
  show(command, result, () => printPlan(result));
  return result.verdict === 'GO' ? 0 : 1;
}

async function lint(command: MigrateCommand): Promise<number> {
  const { options, print, coloured } = command;
  const result = await runMigrate(contextOf(command));
  if (result.action !== 'lint') throw new TypeError(`the result is that of ${result.action}`);
  if (options.json) show(command, result, () => '');
  else print(lintOutput(options.format, result.findings, coloured).trimEnd());
  return result.errors > 0 ? 1 : 0;
}

/** Of all files, by their text alone: nobody knows what is applied, and how large the tables are. */
export async function lintFiles({ folder, options, print, coloured }: Omit<MigrateCommand, 'opened'>): Promise<number> {
  const findings = lintMigrations(await readMigrations(folder, true), null);
  print(lintOutput(options.json ? 'json' : options.format, findings, coloured).trimEnd());
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

async function rehearse(command: MigrateCommand): Promise<number> {
  const result = await runMigrate(contextOf(command));
  if (result.action !== 'rehearse') throw new TypeError(`the result is that of ${result.action}`);
  show(command, result, () => printRehearsal(result, command.coloured));
  return 0;
}

async function verify(command: MigrateCommand): Promise<number> {
  const result = await runMigrate(contextOf(command));
  if (result.action !== 'verify') throw new TypeError(`the result is that of ${result.action}`);
  show(command, result, () => printCertificates(result, command.coloured));
  return 0;
}

async function runOrPlan(command: MigrateCommand): Promise<number> {
  const { options, progress } = command;
  if (options.dryRun || options.action === 'down') {
    const planned = await runMigrate(contextOf(command, { dryRun: true }));
    if (!('sql' in planned)) throw new TypeError(`the result of ${planned.action} is not that of a dry run`);
    // Without a word of agreement the run refuses, and says the same.
    if (options.dryRun || options.confirmLoss)
      for (const { says } of planned.loses.filter(({ rows }) => rows !== 0)) progress.line(`down ${says}`);
    if (options.dryRun) {
      show(command, planned, () => planned.sql.trimEnd());
      return 0;
    }
  }
  const result = await runToEnd(command);
  show(command, result, () => printRun(result, command.coloured));
  return 0;
}

async function mark(command: MigrateCommand): Promise<number> {
  const result = await runMigrate(contextOf(command));
  if (!('changes' in result)) throw new TypeError(`the result of ${result.action} has no changes`);
  show(command, result, () => printMark(result));
  return 0;
}

function show({ options, print }: MigrateCommand, result: MigrateResult, readable: () => string): void {
  print(options.json ? JSON.stringify(result, null, 2) : readable());
}
