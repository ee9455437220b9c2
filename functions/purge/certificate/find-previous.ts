// The certificate before the next one of a policy: each names the one before it, so that none can be taken away unseen.
import { policyCertificatesPrefix, purgeKeys } from '../../shared/backup-layout.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import { sha256Of } from './canonical-json.ts';
import type { CertificateBody } from './certificate.ts';

/** Of the series before `seriesId` the newest that has one, by its bytes; null when there is none. Series count upwards. */
export async function findPreviousCertificate(
  store: ObjectStore,
  { database, policy, seriesId }: { database: string; policy: string; seriesId: string },
): Promise<CertificateBody['previousCertificate']> {
  const earlier: bigint[] = [];
  for await (const folder of store.listFolders(policyCertificatesPrefix(database, policy)))
    if (/^\d{1,19}$/.test(folder) && BigInt(folder) < BigInt(seriesId)) earlier.push(BigInt(folder));
  // As numbers: as text 9 would be after 10.
  for (const series of earlier.toSorted((a, b) => (a < b ? 1 : -1))) {
    const key = purgeKeys(database, policy, String(series)).certificate;
    const text = await store.getText(key);
    if (text !== undefined) return { key, sha256: sha256Of(text) };
  }
  return null;
}
