import { describe, expect, test } from 'vitest';
import type { DatabaseSession } from '../../../functions/shared/database.ts';
import { createDatabaseFor, databaseOptions } from '../../../functions/shared/restore/create-database.ts';
import { handMadeHead, readWhole } from '../../fixtures/toc/toc-fixtures.ts';
import { openedArchive } from '../../support/opened-archive.ts';

function tocWith(definition: string) {
  return readWhole(handMadeHead([{ desc: 'DATABASE', tag: 'shop', definition }]));
}

function shown(definition: string): string[] {
  return databaseOptions(tocWith(definition)).map(
    ({ name, value, isWord }) => `${name} ${isWord ? value : `'${value}'`}`,
  );
}

/** A server that answers CREATE DATABASE with this SQLSTATE, or takes it. */
function fakeSession(state?: string) {
  const sent: string[] = [];
  const session: DatabaseSession = {
    processId: 0,
    query: async (sql) => {
      sent.push(sql);
      if (state !== undefined) throw Object.assign(new Error('server said no'), { code: state });
      return { rows: [], rowCount: 0 };
    },
    copyOut: async () => ({ rows: 0 }),
    copyIn: async () => ({ rows: 0 }),
  };
  return { session, sent };
}

describe('databaseOptions', () => {
  test.each(['15', '17', '18'])('the archive of a real pg_dump %s: encoding and locale', (folder) => {
    const names = databaseOptions(openedArchive(folder).toc).map(({ name }) => name);

    expect(names).toEqual(expect.arrayContaining(['ENCODING', 'LOCALE_PROVIDER', 'LOCALE']));
  });

  test.each([
    [
      'ICU with rules',
      `CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'en_US.utf8' ICU_LOCALE = 'de-u-ks-level2' ICU_RULES = '&a < b''c';\n`,
      [
        "ENCODING 'UTF8'",
        'LOCALE_PROVIDER icu',
        "LOCALE 'en_US.utf8'",
        "ICU_LOCALE 'de-u-ks-level2'",
        "ICU_RULES '&a < b'c'",
      ],
    ],
    [
      'collate and ctype apart, a version of the collation, a tablespace and a limit',
      `CREATE DATABASE "Odd "" WITH = 'x'" WITH TEMPLATE = template0 ENCODING = 'LATIN1' LC_COLLATE = 'C' LC_CTYPE = 'de_DE' COLLATION_VERSION = '153.1' TABLESPACE = "my space" CONNECTION LIMIT = 5;\n`,
      ["ENCODING 'LATIN1'", "LC_COLLATE 'C'", "LC_CTYPE 'de_DE'"],
    ],
    ['another statement', 'CREATE DATABASE shop;\n', []],
    ['none', '', []],
  ])('%s: what says how text is stored and sorted', (_, definition, expected) => {
    expect(shown(definition)).toEqual(expected);
  });

  test('a later statement in the definition: it is not read', () => {
    const definition = `CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8';\nALTER DATABASE shop SET x = 1; LOCALE = 'evil';\n`;

    expect(shown(definition)).toEqual(["ENCODING 'UTF8'"]);
  });
});

describe('createDatabaseFor', () => {
  const toc = tocWith(
    `CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'it''s';\n`,
  );

  test('the options of the archive: quoted, from template0', async () => {
    const { session, sent } = fakeSession();

    await createDatabaseFor(session, 'My "shop"', { toc, encoding: 'LATIN1', serverMajor: 15 });

    expect(sent).toEqual([
      `create database "My ""shop""" template = template0 encoding = 'UTF8' locale_provider = libc locale = 'it''s'`,
    ]);
  });

  test('a server before 15: without the provider, which it does not know', async () => {
    const { session, sent } = fakeSession();

    await createDatabaseFor(session, 'shop', { toc, encoding: 'UTF8', serverMajor: 14 });

    expect(sent).toEqual([`create database "shop" template = template0 encoding = 'UTF8' locale = 'it''s'`]);
  });

  test('an archive that says nothing: the encoding of the manifest', async () => {
    const { session, sent } = fakeSession();

    await createDatabaseFor(session, 'shop', { toc: tocWith(''), encoding: 'LATIN1', serverMajor: 17 });

    expect(sent).toEqual([`create database "shop" template = template0 encoding = 'LATIN1'`]);
  });

  test.each(['22023', '42809', '0A000'])(
    'the server does not know the locale (%s): that is said, with the options',
    async (state) => {
      const { session } = fakeSession(state);

      await expect(
        createDatabaseFor(session, 'shop', { toc, encoding: 'UTF8', serverMajor: 15 }),
      ).rejects.toMatchObject({
        code: 'restore.locale_missing',
        problem: expect.stringContaining("locale = 'it''s': server said no"),
      });
    },
  );

  test('refused for another reason: the error of the server', async () => {
    const { session } = fakeSession('42501');

    await expect(createDatabaseFor(session, 'shop', { toc, encoding: 'UTF8', serverMajor: 15 })).rejects.toThrow(
      'server said no',
    );
  });
});
