// Facts of purge series for tests of the certificate: one of a policy with everything in it, and one of an erasure.
import type { CertificateFacts } from '../../functions/purge/certificate/build-certificate.ts';

export const POLICY_ROW = {
  name: 'orders-7y',
  version: 3,
  schema_name: 'app',
  table_name: 'orders',
  timestamp_column: 'created_at',
  retention: '7 years',
  predicate: "status <> 'open' and total < 100000",
  action: 'delete',
  archive_before_delete: true,
  enabled: true,
  batch_rows: 5_000,
  reason: 'Tax law: invoices are kept for seven years (AO § 147), then nothing allows us to keep them.',
  changed_at: '2026-03-02T09:12:44.1+00:00',
  changed_by: 'nightshift_migrate',
  anonymise: null,
  marker_column: null,
  keep_partitions: null,
} as const;

const run = (id: number, startedAt: string, finishedAt: string, state: 'finished' | 'stopped', by: string | null) => ({
  id: String(id),
  requestId: `6b1f0e5a-0000-4000-8000-00000000${String(id).padStart(4, '0')}`,
  requestedBy: by,
  startedAt: new Date(startedAt),
  finishedAt: new Date(finishedAt),
  state,
});

/** A series of three runs of a policy that archives, cascades and keeps rows back. */
export function certificateFacts(more: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    database: 'orders',
    server: { systemIdentifier: '7312345678901234567', version: '16.4' },
    seriesId: '41',
    work: { policyRow: POLICY_ROW, cutoff: new Date('2019-11-23T03:00:12.482Z') },
    runs: [
      run(41, '2026-11-23T03:00:12Z', '2026-11-23T03:12:30Z', 'stopped', null),
      run(42, '2026-11-23T03:12:40Z', '2026-11-23T03:24:59Z', 'stopped', null),
      run(44, '2026-11-24T08:15:00Z', '2026-11-24T08:19:31Z', 'finished', 'ana@example.com'),
    ],
    rows: { done: 1_204_311, left: 1_305, held: 1_204, referenced: 101, other: 0, undated: 17 },
    children: [
      { table: 'app.order_items', deleted: 3_810_774, changed: 0 },
      { table: 'app.shipments', deleted: 1_190_002, changed: 0 },
      { table: 'app.customer_notes', deleted: 0, changed: 5_120 },
    ],
    partitions: [],
    archive: {
      objects: 57,
      rows: 6_205_087,
      bytes: 412_334_101,
      manifestKey: 'orders/purge-archive/orders-7y/41/manifest.json',
      manifestSha256: 'c0ffee'.padEnd(64, '0'),
    },
    databaseRole: 'nightshift_purge',
    kept: { backupsKeptDays: 400, pitrDays: 14, archiveKeptDays: 90 },
    previousCertificate: { key: 'orders/purged/orders-7y/37/certificate.json', sha256: 'ab'.repeat(32) },
    ...more,
  };
}

/** The erasure of one person, of which everything went. */
export function erasureFacts(more: Partial<CertificateFacts> = {}): CertificateFacts {
  return certificateFacts({
    seriesId: '52',
    work: { subject: { table: 'app.customers', reference: 'DSR-2026-17' } },
    runs: [run(52, '2026-11-24T10:00:00Z', '2026-11-24T10:00:04Z', 'finished', 'ana@example.com')],
    rows: { done: 1, left: 0, held: 0, referenced: 0, other: 0, undated: null },
    children: [{ table: 'app.orders', deleted: 14, changed: 3 }],
    archive: null,
    previousCertificate: null,
    ...more,
  });
}
