import { describe, expect, test } from 'vitest';
import { buildCertificate, type CertificateFacts } from '../../../functions/purge/certificate/build-certificate.ts';
import { describeCertificate } from '../../../functions/purge/certificate/describe-certificate.ts';
import { renderCertificate } from '../../../functions/purge/certificate/render-certificate.ts';
import { certificateFacts, erasureFacts, POLICY_ROW } from '../../support/purge-certificate.ts';

const SHA256 = 'd'.repeat(64);
const page = (facts: CertificateFacts) => renderCertificate(buildCertificate(facts), SHA256);
/** The texts of the page, without markup and style. */
const textOf = (markup: string) =>
  markup
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('renderCertificate', () => {
  test('a series that kept rows back: verdict, counts, dates, rule and hashes are on the page', () => {
    const text = textOf(page(certificateFacts()));

    for (const shown of [
      'Done, except 1,305 rows that had to stay',
      '1,204,311 rows older than 23 Nov 2019 in app.orders were deleted, with 5,005,896 rows of other tables; a count at the end found 1,305 left.',
      'until 29 Dec 2027',
      'until 9 Dec 2026',
      'until 23 Feb 2027',
      'legal hold under a legal hold, their own or that of a row which would go with them 1,204',
      'orders-7y , version 3',
      'Tax law: invoices are kept for seven years',
      SHA256,
      'ab'.repeat(32),
      'system identifier 7312345678901234567',
    ])
      expect(text).toContain(shown);
  });

  test('an erasure of which everything went: the request is named, and an unknown date is said to be unknown', () => {
    const text = textOf(page(erasureFacts({ kept: { backupsKeptDays: null, pitrDays: 7, archiveKeptDays: null } })));

    expect(text).toContain('Everything that led to the person is erased');
    expect(text).toContain('Reference DSR-2026-17');
    expect(text).toContain('unknown the last known copy ends');
    expect(text).not.toContain('not counted by this purge');
  });

  test('rows are left that nothing explains: the verdict is critical and says what comes next', () => {
    const rows = { done: 5, left: 12, held: 0, referenced: 0, other: 12, undated: null };

    expect(page(certificateFacts({ rows }))).toContain('verdict critical');
    expect(textOf(page(certificateFacts({ rows })))).toContain('The next run of this policy goes on with them.');
    expect(textOf(page(certificateFacts({ rows })))).toContain('without a date not counted by this purge –');
    expect(textOf(page(erasureFacts({ rows })))).toContain('Ask for the erasure once more');
  });

  test('nothing was to be done and nothing stayed: said in words', () => {
    const rows = { done: 0, left: 0, held: 0, referenced: 0, other: 0, undated: 0 };
    const text = textOf(page(certificateFacts({ rows, children: [], archive: null, previousCertificate: null })));

    expect(text).toContain('No row was kept back.');
    expect(text).toContain('this is the first certificate of its kind');
    expect(text).not.toContain('The archive');
  });

  test('partitions: those that were dropped are told, with "at least" when one was not counted', () => {
    const partition = { table: 'app.p1', bounds: 'DEFAULT', state: 'dropped' as const, rows: 7, bytes: 2_048 };
    const work = {
      policyRow: { ...POLICY_ROW, action: 'drop_partition', predicate: null },
      cutoff: new Date('2025-01-01T00:00:00Z'),
    };
    const many = Array.from({ length: 23 }, (_, number) => ({ ...partition, table: `app.p${number}`, rows: null }));

    expect(textOf(page(certificateFacts({ work, partitions: [partition] })))).toContain(
      'were dropped with their partition,',
    );
    const text = textOf(page(certificateFacts({ work, partitions: many })));
    expect(text).toContain(
      'at least 1,204,311 rows older than 1 Jan 2025 in app.orders were dropped with 23 partitions',
    );
    expect(text).toContain('and 3 more in certificate.json');
    expect(text).not.toContain('app.p22');
  });

  test('names and texts that are markup: escaped, everywhere', () => {
    const evil = '<script>alert(1)</script>"\'\u202e';
    const facts = certificateFacts({
      database: evil,
      server: { systemIdentifier: evil, version: evil },
      work: {
        policyRow: {
          ...POLICY_ROW,
          name: evil,
          table_name: evil,
          timestamp_column: evil,
          predicate: evil,
          reason: evil,
          retention: evil,
        },
        cutoff: new Date('2020-01-01T00:00:00Z'),
      },
      runs: certificateFacts().runs.map((run) => ({ ...run, requestedBy: evil, requestId: evil })),
      children: [{ table: evil, deleted: 1, changed: 1 }],
      partitions: [{ table: evil, bounds: evil, state: 'kept', rows: 1, bytes: 1 }],
      databaseRole: evil,
      previousCertificate: { key: evil, sha256: 'a'.repeat(64) },
    });

    const markup = page(facts);

    expect(markup).not.toContain('<script');
    expect(markup).not.toContain('\u202e');
    expect(markup.split('&lt;script&gt;').length).toBeGreaterThan(14);
    expect(describeCertificate(buildCertificate(facts), SHA256)).not.toContain('\u202e');
  });

  test('the page needs nothing else: no script, and nothing from elsewhere', () => {
    const markup = page(certificateFacts());

    expect(markup).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(markup).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import/);
  });

  test('equal certificates: equal bytes', () => {
    expect(page(certificateFacts())).toBe(page(certificateFacts()));
  });
});

describe('describeCertificate', () => {
  test('for a terminal: verdict, what went, what stayed and what still holds it', () => {
    expect(describeCertificate(buildCertificate(erasureFacts()), SHA256)).toBe(
      [
        '# Everything that led to the person is erased',
        '',
        'orders, request DSR-2026-17: 1 row of request DSR-2026-17 was erased, with 17 rows of other tables; a count at the end found none left.',
        '',
        '- app.orders: 14 deleted, 3 changed',
        '- still in backups: 29 Dec 2027',
        '- still in point-in-time recovery: 9 Dec 2026',
        '- still in the archive: no copy',
        '',
        'The removed rows can still be restored from backups until 29 Dec 2027 and by point-in-time recovery of the server until 9 Dec 2026; after 29 Dec 2027 no copy that Nightshift knows of holds them.',
        '',
        `Done between 24 Nov 2026 10:00 and 24 Nov 2026 10:00 UTC; sha256 of certificate.json ${SHA256}`,
        '',
      ].join('\n'),
    );
  });
});
