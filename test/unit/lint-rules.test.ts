import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** What our lint says of one file at that path. */
function lint(path: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-lint-'));
  folders.push(folder);
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  try {
    return execFileSync(join(root, 'node_modules/.bin/oxlint'), [], { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
  }
}

const imports = (what: string) => `import { x } from '${what}';\nexport const y = x;\n`;

describe('the rules between folders', () => {
  test.each([
    ['a job imports another job', 'functions/backup/a.ts', '../purge/run-purge.ts', 'a job never imports another job'],
    ['shared code imports a job', 'functions/shared/a.ts', '../purge/run-purge.ts', 'shared code knows no job'],
    [
      'a job imports pg',
      'functions/health/a.ts',
      'pg',
      'only functions/shared/database.ts and copy-sessions.ts import pg',
    ],
    [
      'a job imports the S3 client',
      'functions/health/a.ts',
      '@aws-sdk/client-s3',
      'only functions/shared/object-store.ts',
    ],
    [
      'a job reads secrets',
      'functions/health/a.ts',
      '@aws-sdk/client-secrets-manager',
      'only functions/shared/credentials.ts',
    ],
    [
      'a job asks CloudWatch',
      'functions/health/a.ts',
      '@aws-sdk/client-cloudwatch',
      'only functions/shared/free-storage.ts',
    ],
    ['a job signs by itself', 'functions/health/a.ts', '@aws-sdk/client-kms', 'only functions/shared/signing-key.ts'],
    ['a function imports the CDK', 'functions/health/a.ts', 'aws-cdk-lib', 'must not pull in the CDK'],
    ['a function imports infra', 'functions/health/a.ts', '../../infra/config.ts', 'must not pull in the CDK'],
    [
      'a function imports the local run',
      'functions/health/a.ts',
      '../../local/watchdog.ts',
      'must not depend on the local run',
    ],
    [
      'infra imports more than environment.ts',
      'infra/a.ts',
      '../functions/backup/run-backup.ts',
      'infra imports only environment.ts',
    ],
    ['the local run imports a test', 'local/a.ts', '../test/support/local-aws.ts', 'nothing imports test/'],
  ])('%s: refused with the reason', (_, path, what, reason) => {
    expect(lint(path, imports(what))).toContain(reason);
  });

  test.each([
    ['infra imports the settings of a job', 'infra/a.ts', '../functions/backup/environment.ts'],
    ['database.ts imports pg', 'functions/shared/database.ts', 'pg'],
    ['copy-sessions.ts imports pg', 'functions/shared/copy-sessions.ts', 'pg'],
    ['free-storage.ts asks CloudWatch', 'functions/shared/free-storage.ts', '@aws-sdk/client-cloudwatch'],
    ['signing-key.ts asks KMS', 'functions/shared/signing-key.ts', '@aws-sdk/client-kms'],
    ['a job imports shared code', 'functions/backup/a.ts', '../shared/clock.ts'],
  ])('%s: allowed', (_, path, what) => {
    expect(lint(path, imports(what))).toContain('0 errors');
  });

  test('a job reads the time or the environment past clock.ts and read-environment.ts: refused', () => {
    expect(lint('functions/health/a.ts', 'export const now = Date.now();\n')).toContain('only clock.ts reads the time');
    expect(lint('functions/health/a.ts', "export const home = process.env['HOME'];\n")).toContain('no-process-env');
  });

  test('a file of more than 400 lines: refused', () => {
    expect(lint('functions/health/a.ts', 'export const a = [\n'.concat('  1,\n'.repeat(400), '];\n'))).toContain(
      'max-lines',
    );
  });
});
