import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findClientTools } from '../../functions/shared/postgres-client-tools.ts';
import { LocalRunError } from '../../local/local-run-error.ts';
import { defaultPlaces, findPostgres } from '../../local/postgres/find-binaries.ts';
import { unprivilegedUser } from '../../local/postgres/unprivileged-user.ts';

const folders: string[] = [];

function folderWith(programs: readonly string[], version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-bin-'));
  folders.push(folder);
  for (const program of programs) {
    writeFileSync(join(folder, program), `#!/bin/sh\necho "${program} (PostgreSQL) ${version}"\n`);
    chmodSync(join(folder, program), 0o755);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const ALL = ['initdb', 'postgres', 'pg_dump', 'pg_dumpall', 'pg_restore'];

describe('findPostgres', () => {
  test('there is none: says what was looked for, where, and how to install it', () => {
    expect(() => findPostgres(['/no/such/place'])).toThrow(LocalRunError);
    expect(() => findPostgres(['/no/such/place'])).toThrow(
      /no PostgreSQL 14 to 18 was found\. Looked for initdb, postgres, pg_dump.*\/no\/such\/place.*apt-get install -y postgresql/s,
    );
  });

  test('a folder lacks pg_restore, another is PostgreSQL 13: neither is taken', () => {
    const places = [folderWith(ALL.slice(0, 4), '16.3'), folderWith(ALL, '13.9')];

    expect(() => findPostgres(places)).toThrow(/was found/);
  });

  test('two majors are there: the newest is taken', () => {
    const [older, newer] = [folderWith(ALL, '15.18 (Debian 15.18-0)'), folderWith(ALL, '17.2')];

    expect(findPostgres([older, newer])).toEqual({ directory: newer, major: 17 });
  });

  test('NIGHTSHIFT_POSTGRES_BIN is set: the only place that counts', () => {
    expect(defaultPlaces({ NIGHTSHIFT_POSTGRES_BIN: ' /my/bin ', PATH: '/usr/bin' })).toEqual(['/my/bin']);
  });
});

describe('findClientTools', () => {
  test('the wanted major and a newer one are there: the wanted one', async () => {
    const directories = [folderWith(ALL, '17.5'), folderWith(ALL, '15.18')].join(':');

    expect(await findClientTools(directories, 15)).toMatchObject({ major: 15, version: '15.18' });
    expect(await findClientTools(directories, 16)).toMatchObject({ major: 17 });
  });

  test('the server is newer than every pg_dump: both versions and what to do', async () => {
    await expect(findClientTools(folderWith(ALL, '15.18'), 17)).rejects.toThrow(
      /server is PostgreSQL 17, but the newest pg_dump here is 15\.18.*Hint: install the PostgreSQL 17 client programs/s,
    );
  });

  test('nothing is installed: says where it looked', async () => {
    await expect(findClientTools('/opt', 15)).rejects.toThrow(
      /pg_dump and pg_restore are not installed: looked in \/opt and/,
    );
  });

  test('pg_dump cannot even tell its version: as good as absent', async () => {
    const folder = folderWith(ALL, '15.18');
    writeFileSync(join(folder, 'pg_dump'), '#!/bin/sh\nexit 127\n');

    await expect(findClientTools(folder, 15)).rejects.toThrow(/not installed/);
  });
});

describe('unprivilegedUser', () => {
  const getuid = process.getuid;
  afterEach(() => {
    if (getuid) process.getuid = getuid;
  });

  test('not root: the cluster runs as ourselves', () => {
    process.getuid = () => 1000;

    expect(unprivilegedUser(() => 'postgres:x:101:104::/:/bin/sh')).toBeUndefined();
  });

  test('root: the postgres user, else nobody, else a clear error', () => {
    process.getuid = () => 0;

    expect(unprivilegedUser(() => 'root:x:0:0::/:/bin/sh\npostgres:x:101:104::/:/bin/sh')).toEqual({
      uid: 101,
      gid: 104,
    });
    expect(unprivilegedUser(() => 'nobody:x:65534:65534::/:/bin/sh')).toEqual({ uid: 65534, gid: 65534 });
    expect(() => unprivilegedUser(() => 'root:x:0:0::/:/bin/sh')).toThrow(
      /does not run as root.*run the command as an ordinary user/s,
    );
  });
});
