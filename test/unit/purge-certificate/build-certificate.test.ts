import { describe, expect, test } from 'vitest';
import { buildCertificate, type CertificateFacts } from '../../../functions/purge/certificate/build-certificate.ts';
import { canonicalJson, sha256Of } from '../../../functions/purge/certificate/canonical-json.ts';
import {
  bodyHash,
  certificateSchema,
  certificateText,
  parseCertificate,
} from '../../../functions/purge/certificate/certificate.ts';
import { describeCertificate } from '../../../functions/purge/certificate/describe-certificate.ts';
import { renderCertificate } from '../../../functions/purge/certificate/render-certificate.ts';
import { JobFailure } from '../../../functions/shared/job-failure.ts';
import { certificateFacts, erasureFacts, POLICY_ROW } from '../../support/purge-certificate.ts';

const failureOf = (make: () => unknown): JobFailure => {
  try {
    make();
  } catch (error) {
    if (error instanceof JobFailure) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('canonicalJson', () => {
  test('keys in another order: the same text, without blanks', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'é' }], a: true })).toBe('{"a":true,"b":[1,{"c":"é","d":null}]}');
  });

  test('a key without a value is left out; a number that JSON does not have is refused', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
    expect(() => canonicalJson([Number.NaN])).toThrow('JSON has no NaN');
  });
});

describe('buildCertificate', () => {
  test('equal facts: equal bytes, which read back as the same certificate', () => {
    const text = certificateText(buildCertificate(certificateFacts()));

    expect(certificateText(buildCertificate(certificateFacts()))).toBe(text);
    expect(parseCertificate('k', text)).toEqual(buildCertificate(certificateFacts()));
  });

  test('a policy: its row is hashed as canonical JSON, whatever the order of its columns', () => {
    const { policy, action, table, cutoff } = buildCertificate(certificateFacts());

    expect({ action, table, cutoff }).toEqual({
      action: 'delete',
      table: 'app.orders',
      cutoff: '2019-11-23T03:00:12.482Z',
    });
    expect(policy?.sha256).toBe(sha256Of(canonicalJson({ ...POLICY_ROW })));
    const reversed = Object.fromEntries(Object.entries(POLICY_ROW).toReversed());
    const work = { policyRow: reversed, cutoff: new Date('2019-11-23T03:00:12.482Z') };
    expect(buildCertificate(certificateFacts({ work })).policy?.sha256).toBe(policy?.sha256);
  });

  test('another reason in the policy: another hash', () => {
    const work = { policyRow: { ...POLICY_ROW, reason: 'because' }, cutoff: new Date('2019-11-23T03:00:12.482Z') };

    expect(buildCertificate(certificateFacts({ work })).policy?.sha256).not.toBe(
      buildCertificate(certificateFacts()).policy?.sha256,
    );
  });

  test('several runs: from the start of the first to the end of the last, in whatever order they come', () => {
    const runs = certificateFacts().runs.toReversed();

    const { startedAt, finishedAt } = buildCertificate(certificateFacts({ runs }));

    expect({ startedAt, finishedAt }).toEqual({
      startedAt: '2026-11-23T03:00:12.000Z',
      finishedAt: '2026-11-24T08:19:31.000Z',
    });
  });

  test.each([
    ['none', { left: 0, held: 0, referenced: 0, other: 0 }, 'complete'],
    ['only held and referenced rows', { left: 5, held: 2, referenced: 3, other: 0 }, 'kept back'],
    ['more than is held and referenced', { left: 6, held: 2, referenced: 3, other: 0 }, 'incomplete'],
    ['rows that another session locks', { left: 6, held: 2, referenced: 3, other: 1 }, 'incomplete'],
  ] as const)('%s left: %o is %s', (_, counts, outcome) => {
    const rows = { done: 1, undated: 0, ...counts };

    expect(buildCertificate(certificateFacts({ rows })).outcome).toBe(outcome);
  });

  test('an anonymising policy: the columns are named, their expressions are only in the hash', () => {
    const policyRow = { ...POLICY_ROW, action: 'anonymise', anonymise: { phone: 'null', email: "'x@invalid'" } };

    const certificate = buildCertificate(
      certificateFacts({ work: { policyRow, cutoff: new Date('2019-01-01') }, archive: null }),
    );

    expect(certificate.policy?.anonymisedColumns).toEqual(['email', 'phone']);
    expect(certificate.stillHeldBy.statement).toContain('The values before the change');
  });

  test('an erasure: the request stands for the person, and there is neither policy nor cutoff', () => {
    expect(buildCertificate(erasureFacts())).toMatchObject({
      action: 'erase',
      policy: null,
      cutoff: null,
      subject: { table: 'app.customers', reference: 'DSR-2026-17' },
      table: 'app.customers',
      outcome: 'complete',
    });
  });

  test.each([
    ['no run', certificateFacts({ runs: [] }), 'runs: there is none'],
    ['a count below zero', certificateFacts({ rows: { ...certificateFacts().rows, done: -1 } }), 'rows.done'],
    [
      'a row of another table',
      certificateFacts({ work: { policyRow: { name: 'x' }, cutoff: new Date(0) } }),
      'version',
    ],
    ['a hash that is none', certificateFacts({ previousCertificate: { key: 'k', sha256: 'anna' } }), 'sha256'],
  ])('%s: refused with the place of it, and what has been done is said', (_, facts, place) => {
    const failure = failureOf(() => buildCertificate(facts));

    expect(failure.code).toBe('purge.certificate_wrong');
    expect(failure.problem).toContain(place);
    expect(failure.problem).not.toContain('anna');
    expect(failure.safeState).toContain('committed');
  });

  test('facts that speak of a person in every place that a certificate does not need: it holds nothing of them', () => {
    const secret = 'anna.muster@example.org';
    const facts = erasureFacts();
    // What a caller might pass along from a run, a plan, a hold or an event, typed or not.
    const hostile = {
      ...facts,
      error: `duplicate key value violates unique constraint: Key (email)=(${secret}) already exists.`,
      warnings: [`row ${secret} is referenced`],
      holds: [{ reason: `lawsuit of ${secret}`, key_value: secret }],
      server: { ...facts.server, host: `db-of-${secret}` },
      work: { subject: { table: 'app.customers', reference: 'DSR-2026-17', schema: 'app', key: secret } },
      runs: facts.runs.map((run) => ({ ...run, error: `Key (email)=(${secret})`, cursor_key: secret })),
      rows: { ...facts.rows, oldest: secret },
      children: [{ table: 'app.orders', deleted: 1, changed: 0, sample: secret }],
      partitions: [
        {
          table: 'app.p',
          bounds: `FOR VALUES IN ('${secret}')`,
          state: 'kept' as const,
          rows: 1,
          bytes: 1,
          reason: `held for ${secret}`,
        },
      ],
      archive: {
        objects: 1,
        rows: 1,
        bytes: 1,
        manifestKey: 'orders/purge-archive/x/1/manifest.json',
        manifestSha256: 'a'.repeat(64),
        firstKey: secret,
      },
      previousCertificate: { key: 'k', sha256: 'b'.repeat(64), holds: secret },
    } as unknown as CertificateFacts;

    const certificate = buildCertificate(hostile);
    const text = certificateText(certificate);

    for (const shown of [text, renderCertificate(certificate, sha256Of(text)), describeCertificate(certificate, 'x')]) {
      expect(shown).not.toContain('anna');
      expect(shown).toContain('DSR-2026-17');
    }
    // The check itself can fail: what a certificate does name would be found.
    expect(certificateText(buildCertificate({ ...hostile, databaseRole: secret }))).toContain('anna');
  });

  test.each([
    ["FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-02-01 00:00:00+00')", true],
    ['FOR VALUES FROM (MINVALUE) TO (MAXVALUE)', true],
    ["FOR VALUES FROM ('-infinity') TO ('0044-03-15 BC')", true],
    ['DEFAULT', true],
    ["FOR VALUES IN ('anna')", false],
    ["FOR VALUES FROM ('anna') TO ('bert')", false],
    ["FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') anna", false],
  ])('bounds %s: kept only when they are instants', (bounds, isKept) => {
    const partitions = [{ table: 'app.p', bounds, state: 'dropped' as const, rows: null, bytes: 8 }];

    expect(buildCertificate(certificateFacts({ partitions })).partitions[0]?.bounds).toBe(isKept ? bounds : null);
  });
});

describe('parseCertificate', () => {
  const good = buildCertificate(certificateFacts());

  test('every field of it is needed and no other is allowed', () => {
    const isRead = (field: string) => certificateSchema.safeParse({ ...good, [field]: undefined }).success;

    expect(Object.keys(good).filter(isRead)).toEqual([]);
    expect(certificateSchema.safeParse({ ...good, extra: 1 }).success).toBe(false);
    expect(certificateSchema.safeParse(good).success).toBe(true);
  });

  test.each([
    ['both a policy and a subject', { ...good, subject: { table: 'a.b', reference: 'r' } }],
    ['neither', { ...good, policy: null }],
    ['an erasure with a cutoff', { ...buildCertificate(erasureFacts()), cutoff: good.cutoff }],
    ['a policy without a cutoff', { ...good, cutoff: null }],
  ])('%s: refused', (_, certificate) => {
    expect(failureOf(() => parseCertificate('k', JSON.stringify(certificate))).code).toBe('purge.certificate_wrong');
  });

  test.each([
    ['half of it', certificateText(good).slice(0, 500), 'it is not JSON'],
    ['a later version', '{"certificateVersion":2}', 'its certificateVersion is 2, this program reads 1'],
    ['something else', '[]', 'its certificateVersion is missing, this program reads 1'],
  ])('%s: refused with what is wrong', (_, text, problem) => {
    expect(failureOf(() => parseCertificate('a/certificate.json', text)).message).toContain(
      `certificate "a/certificate.json" cannot be used: ${problem}`,
    );
  });

  test('the hash of its body: made again from the parsed certificate, and other for another count', () => {
    expect(bodyHash(good)).toBe(good.bodySha256);
    expect(bodyHash({ ...good, rows: { ...good.rows, held: 0 } })).not.toBe(good.bodySha256);
  });
});
