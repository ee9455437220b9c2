// Stores a certificate: the JSON first, then the page for people, then the signature. Called at the end of a series and again
// after a crash between any two of the puts; never overwrites, and never leaves a failed signature untold.
import type { purgeKeys } from '../../shared/backup-layout.ts';
import type { Clock } from '../../shared/clock.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import type { SigningKey } from '../../shared/signing-key.ts';
import { canonicalJson, sha256Of } from './canonical-json.ts';
import { type Certificate, certificateText, parseCertificate } from './certificate.ts';
import { renderCertificate } from './render-certificate.ts';
import { signCertificate } from './sign-certificate.ts';
import { signatureSchema } from './signature.ts';

export type CertificateKeys = Pick<ReturnType<typeof purgeKeys>, 'certificate' | 'readable' | 'signature'>;

interface StoreDependencies {
  store: ObjectStore;
  clock: Clock;
  /** Undefined when no key is set: the certificate is then unsigned by choice. */
  signingKey: SigningKey | undefined;
}

export type SigningOutcome =
  | { readonly state: 'signed'; readonly key: string }
  | { readonly state: 'no key is set' }
  /** `purge.not_signed`: to be told in the log and in the end of the run. */
  | { readonly state: 'failed'; readonly failure: JobFailure };

export interface StoredCertificate {
  /** The one in the bucket: that of an earlier try, when that came as far. */
  readonly certificate: Certificate;
  readonly key: string;
  /** Of its bytes: for nightshift.purge_run, and for the certificate after it. */
  readonly sha256: string;
  readonly signing: SigningOutcome;
}

/**
 * Stores what is not stored yet, and answers what is there then.
 *
 * A certificate of the same work that is there already stays, although settings or the version of Nightshift may have
 * changed since; page and signature are made of it. Throws `object_store.exists` when what is there tells of other work.
 * A signature that KMS does not give is no error of this function: the certificate is stored, and `signing` says it.
 */
export async function storeCertificate(
  { store, clock, signingKey }: StoreDependencies,
  keys: CertificateKeys,
  certificate: Certificate,
): Promise<StoredCertificate> {
  const text = await putOnce(
    store,
    { key: keys.certificate, body: certificateText(certificate), contentType: 'application/json' },
    (present) => isSameWork(parseCertificate(keys.certificate, present), certificate),
  );
  const stored = parseCertificate(keys.certificate, text);
  const sha256 = sha256Of(text);
  await putOnce(
    store,
    { key: keys.readable, body: renderCertificate(stored, sha256), contentType: 'text/html; charset=utf-8' },
    (present) => present.includes(sha256),
  );
  const signing = await signOnce({ store, clock, signingKey }, keys, text);
  return { certificate: stored, key: keys.certificate, sha256, signing };
}

/** Puts the object unless there is one; answers the text that is there. Throws when that is not the one it should be. */
async function putOnce(
  store: ObjectStore,
  { key, body, contentType }: { key: string; body: string; contentType: string },
  isTheSame: (present: string) => boolean,
): Promise<string> {
  // Read first: a put that was retried does not say whether the object was there before.
  const present = await store.getText(key);
  if (present === undefined) {
    await store.putOwn(key, body, contentType);
    return body;
  }
  if (present === body || isTheSame(present)) return present;
  throw new JobFailure({
    code: 'object_store.exists',
    problem: `"${key}" in bucket "${store.bucket}" exists already and tells of other work than this series has done`,
    safeState: 'It was not overwritten; what the purge has done is committed and recorded in nightshift.purge_run',
    hint: 'find out who wrote it from the versions of the object, and move it aside; the next run stores the right one',
  });
}

/** Whether both certify the same; what depends on settings, versions and the tries to store it may differ. */
function isSameWork(present: Certificate, wanted: Certificate): boolean {
  const work = ({
    database,
    seriesId,
    action,
    table,
    policy,
    subject,
    cutoff,
    children,
    partitions,
    ...more
  }: Certificate) =>
    canonicalJson({
      database,
      seriesId,
      action,
      table,
      policy,
      subject,
      cutoff,
      children,
      partitions,
      done: more.rows.done,
      archive: more.archive?.manifestSha256 ?? null,
    });
  return work(present) === work(wanted);
}

async function signOnce(
  { store, clock, signingKey }: StoreDependencies,
  keys: CertificateKeys,
  certificate: string,
): Promise<SigningOutcome> {
  const bytes = Buffer.from(certificate, 'utf8');
  const present = await store.getText(keys.signature);
  if (present === undefined && signingKey === undefined) return { state: 'no key is set' };
  if (present === undefined && signingKey !== undefined) {
    try {
      const signature = await signCertificate({ signingKey, clock }, keys.certificate, bytes);
      await store.putOwn(keys.signature, `${JSON.stringify(signature, null, 2)}\n`, 'application/json');
    } catch (error) {
      if (error instanceof JobFailure && error.code === 'purge.not_signed') return { state: 'failed', failure: error };
      throw error;
    }
  } else if (!isOfThese(bytes, present ?? '')) {
    throw new JobFailure({
      code: 'object_store.exists',
      problem: `"${keys.signature}" in bucket "${store.bucket}" exists already and is not of the certificate beside it`,
      safeState: 'It was not overwritten; the certificate is stored',
      hint: 'compare the versions of both objects in S3: one of them was changed after it was written',
    });
  }
  return { state: 'signed', key: keys.signature };
}

function isOfThese(certificate: Buffer, signature: string): boolean {
  try {
    return signatureSchema.parse(JSON.parse(signature)).digest === sha256Of(certificate);
  } catch {
    return false;
  }
}
