// Proves that migrations can be reverted: up, down and up again in a scratch database with rows, catalogs and rows equal.
// Starts from an empty database, so it needs no files to be applied and never reads the live schema.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { installNightshift } from '../scratch/install-nightshift.ts';
import { runScript } from '../scratch/run-script.ts';
import { type Scratch, type ScratchContext, type ScratchServer, withScratchServer } from '../scratch/scratch-server.ts';
import { productSeeds, type Seeds } from '../scratch/seeds.ts';
import { certifyMigration } from './certify-migration.ts';
import type { Certificate, VerifyMigrationsResult } from './contract.ts';

export interface VerifyRequest {
  /** All files from the first one on: those before `from` are only applied. */
  readonly migrations: readonly Migration[];
  /** Numbers of the first and the last file to certify; all without them. */
  readonly from?: number;
  readonly to?: number;
  readonly seeds?: Seeds;
}

/**
 * A certificate for each file of the range, in order.
 *
 * A file that differs or fails in its down does not stop the others: they start from a fresh database with all files before
 * them. One whose up file fails does: those after it are named as not verified. Throws for what says nothing about the files.
 */
export async function verifyMigrations(
  context: ScratchContext,
  request: VerifyRequest,
): Promise<VerifyMigrationsResult> {
  const startedMs = context.clock.monotonicMs();
  const { migrations, from = 1, to = Number.POSITIVE_INFINITY, seeds = productSeeds() } = request;
  const wanted = migrations.filter(({ number }) => number >= from && number <= to);
  const certificates: Certificate[] = [];
  const notVerified = await withScratchServer(context, async (server) => {
    let scratch: Scratch | undefined;
    for (const [place, migration] of wanted.entries()) {
      scratch ??= await scratchWith(
        server,
        migrations.filter(({ number }) => number < migration.number),
      );
      const { certificate, isUsable, isApplicable } = await certifyMigration({ context, scratch, migration, seeds });
      certificates.push(certificate);
      context.log.info('migrate.file_verified', { file: certificate.file, outcome: certificate.outcome });
      if (!isApplicable) return wanted.slice(place + 1).map(({ up }) => up.file);
      if (!isUsable) scratch = undefined;
    }
    return [];
  });
  return { certificates, notVerified, durationMs: Math.round(context.clock.monotonicMs() - startedMs) };
}

/** Throws `migrate.not_certified` unless every file is certified or irreversible by its own words. */
export function requireCertified({ certificates, notVerified }: VerifyMigrationsResult): void {
  const bad = certificates.filter(({ outcome }) => outcome === 'different' || outcome === 'failed');
  const first = bad[0];
  if (first === undefined) return;
  const difference = first.differences[0];
  const why =
    first.problem ??
    (difference === undefined
      ? first.outcome
      : `${first.differenceCount} differences after ${difference.after}, the first: ${difference.what}`);
  throw new JobFailure({
    code: 'migrate.not_certified',
    problem: `${bad.length} of ${certificates.length + notVerified.length} migrations are not certified; "${first.file}": ${why}`,
    safeState: 'The live database was not changed; the scratch database was dropped',
    hint: 'correct the down file so that it brings back what is named, or say in its header why it is irreversible',
  });
}

/** A new scratch database with schema nightshift and these files applied. */
async function scratchWith(server: ScratchServer, earlier: readonly Migration[]): Promise<Scratch> {
  const scratch = await server.create();
  await scratch.database.withSession(async (session) => {
    await installNightshift(scratch, session);
    for (const { up } of earlier) await applyEarlier(scratch, session, up);
  });
  return scratch;
}

async function applyEarlier(scratch: Scratch, session: DatabaseSession, up: Migration['up']): Promise<void> {
  const problem = await runScript(scratch, session, up);
  if (problem === undefined) return;
  throw new JobFailure({
    code: 'migrate.not_certified',
    problem: `a file before those to certify does not run on an empty database: ${problem}`,
    safeState: 'The live database was not changed; nothing is said about the files to certify',
    hint: 'correct that file, or certify it first',
  });
}
