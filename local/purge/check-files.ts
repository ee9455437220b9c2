// What a person checks without the database: a certificate and its signature, and the objects of an archive.
import { readFileSync } from 'node:fs';
import { checkArchive } from '../../functions/purge/archive/check-archive.ts';
import { parseCertificate } from '../../functions/purge/certificate/certificate.ts';
import { storeCertificate } from '../../functions/purge/certificate/store-certificate.ts';
import { verifyCertificate } from '../../functions/purge/certificate/verify-certificate.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { describeBytes, describeCount } from '../../functions/shared/describe-amounts.ts';
import { describeError, JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { openSigningKey } from '../../functions/shared/signing-key.ts';
import { LocalRunError } from '../local-run-error.ts';
import type { FileAction } from './parse-arguments.ts';
import type { PurgeProgress } from './show-progress.ts';

const CERTIFICATE = 'certificate.json';

interface FileCommand {
  readonly json: boolean;
  /** Of the command line or the config; undefined: none is known. */
  readonly signingKeyArn: string | undefined;
  readonly clock: Clock;
  readonly progress: PurgeProgress;
  readonly signal: AbortSignal;
  print(this: void, text: string): void;
}

/** Answers 0 for "valid" alone. */
export async function verify(
  command: FileCommand,
  { certificate: name, publicKey, bucket }: Extract<FileAction, { name: 'verify' }>,
): Promise<number> {
  const { certificate, signature } = bucket === undefined ? readFiles(name) : await readObjects(bucket, name);
  const publicKeyPem = await readPublicKey(command, publicKey);
  const checked = verifyCertificate({ certificate, signature, publicKeyPem });
  command.print(command.json ? JSON.stringify(checked, null, 2) : `${name}: ${checked.result}: ${checked.because}`);
  return checked.result === 'valid' ? 0 : 1;
}

/** Signs a certificate that was stored while KMS did not answer, or before a key was set. */
export async function sign(
  command: FileCommand,
  { key, bucket }: Extract<FileAction, { name: 'sign' | 'check-archive' }>,
): Promise<number> {
  if (command.signingKeyArn === undefined)
    throw new LocalRunError(
      '--sign needs a key of KMS. Nothing was read or changed',
      'say --signing-key ARN, or --database NAME of a config with purge.signingKeyArn',
    );
  const store = createObjectStore(bucket);
  const { certificate } = await readObjects(bucket, key);
  const signingKey = openSigningKey(command.signingKeyArn, { signal: command.signal });
  try {
    const folder = key.slice(0, -CERTIFICATE.length);
    const { signing } = await storeCertificate(
      { store, clock: command.clock, signingKey },
      { certificate: key, readable: `${folder}certificate.html`, signature: `${folder}certificate.signature.json` },
      parseCertificate(key, certificate.toString('utf8')),
    );
    if (signing.state === 'failed') throw signing.failure;
    // What lies there may have been signed before, by another key.
    const checked = verifyCertificate({
      ...(await readObjects(bucket, key)),
      publicKeyPem: (await signingKey.readPublicKey()).publicKeyPem,
    });
    command.print(command.json ? JSON.stringify(checked, null, 2) : `${key}: ${checked.result}: ${checked.because}`);
    return checked.result === 'valid' ? 0 : 1;
  } finally {
    signingKey.close();
  }
}

/** Answers 1 when an object is not what the manifest says. */
export async function check(
  command: FileCommand,
  { key, bucket }: Extract<FileAction, { name: 'sign' | 'check-archive' }>,
): Promise<number> {
  let bytes = 0;
  const { manifest, damaged } = await checkArchive(createObjectStore(bucket), key, {
    clock: command.clock,
    signal: command.signal,
    onBytes: (more) => {
      bytes += more;
      command.progress.waits(`${describeBytes(bytes)} read back`, false);
    },
  });
  command.progress.clear();
  const { objects, rows } = manifest.totals;
  const lines = damaged.map((one) => `DAMAGED ${one.key}: ${one.problem}`);
  const whole = `${describeCount(objects)} objects with ${describeCount(rows)} rows, ${describeBytes(bytes)}: `;
  const words = damaged.length === 0 ? 'all are what the manifest says' : `${describeCount(damaged.length)} are not`;
  command.print(
    command.json
      ? JSON.stringify({ totals: manifest.totals, damaged }, null, 2)
      : [...lines, `${whole}${words}`].join('\n'),
  );
  return damaged.length === 0 ? 0 : 1;
}

interface CertificateTexts {
  certificate: Buffer;
  signature: string | undefined;
}

function readFiles(path: string): CertificateTexts {
  const signaturePath = signatureOf(path);
  const certificate = readLocal(path);
  let signature: string | undefined;
  try {
    signature = readFileSync(signaturePath, 'utf8');
  } catch (error) {
    // Only one that is not there is none: what could not be read must not make a signed certificate an unsigned one.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw unreadable(signaturePath, error);
  }
  return { certificate, signature };
}

async function readObjects(bucket: string, key: string): Promise<CertificateTexts> {
  const store = createObjectStore(bucket);
  const signatureKey = signatureOf(key);
  const certificate = await store.getText(key);
  if (certificate === undefined)
    throw new JobFailure({
      code: 'purge.certificate_wrong',
      problem: `there is no "${key}" in bucket "${bucket}"`,
      safeState: 'Nothing was changed',
      hint: 'npm run purge -- --list --json names the newest certificate of each policy',
    });
  return { certificate: Buffer.from(certificate, 'utf8'), signature: await store.getText(signatureKey) };
}

function signatureOf(name: string): string {
  if (!name.endsWith(CERTIFICATE))
    throw new LocalRunError(
      `"${name}" is no certificate.json. Nothing was read or changed`,
      'name the JSON; its signature lies beside it as certificate.signature.json',
    );
  return `${name.slice(0, -CERTIFICATE.length)}certificate.signature.json`;
}

async function readPublicKey({ signingKeyArn, signal }: FileCommand, path: string | undefined): Promise<string> {
  if (path !== undefined) return readLocal(path).toString('utf8');
  if (signingKeyArn === undefined)
    throw new LocalRunError(
      '--verify needs the key that is trusted; the one beside a certificate proves nothing. Nothing was changed',
      'say --public-key FILE, --signing-key ARN, or --database NAME of a config with purge.signingKeyArn',
    );
  const signingKey = openSigningKey(signingKeyArn, { signal });
  try {
    return (await signingKey.readPublicKey()).publicKeyPem;
  } catch (error) {
    throw new LocalRunError(
      describeError(error),
      'check the ARN and your credentials, or give the key as --public-key FILE',
    );
  } finally {
    signingKey.close();
  }
}

function readLocal(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): LocalRunError {
  return new LocalRunError(`"${path}" cannot be read: ${describeError(error)}. Nothing was changed`, 'check the path');
}
