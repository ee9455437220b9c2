// Signs the bytes of a stored certificate with a key of KMS, and proves the signature before anybody relies on it.
import type { Clock } from '../../shared/clock.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { SigningKey } from '../../shared/signing-key.ts';
import { sha256Of } from './canonical-json.ts';
import { type CertificateSignature, publicKeyHash } from './signature.ts';
import { isSignatureOf } from './verify-certificate.ts';

/**
 * The signature over exactly these bytes.
 *
 * Throws `purge.not_signed` when KMS refuses, does not answer, or answers with what its own public key does not confirm.
 */
export async function signCertificate(
  { signingKey, clock }: { signingKey: SigningKey; clock: Clock },
  certificateKey: string,
  certificate: Buffer,
): Promise<CertificateSignature> {
  const digest = sha256Of(certificate);
  try {
    const { keyArn, algorithm, publicKeyPem } = await signingKey.readPublicKey();
    const signature = await signingKey.sign(Buffer.from(digest, 'hex'), algorithm);
    if (!isSignatureOf(certificate, algorithm, publicKeyPem, signature))
      throw new Error(`the public key of "${keyArn}" does not confirm the signature that KMS has made`);
    return {
      signatureVersion: 1,
      certificateKey,
      keyArn,
      algorithm,
      digest,
      signature: signature.toString('base64'),
      publicKeyPem,
      publicKeySha256: publicKeyHash(publicKeyPem),
      signedAt: clock.now().toISOString(),
    };
  } catch (error) {
    throw new JobFailure({
      code: 'purge.not_signed',
      problem: `certificate "${certificateKey}" could not be signed: ${describeError(error)}`,
      safeState: 'The purge is done and its certificate is stored, without a signature',
      hint: 'check that the key is enabled, that the role may call kms:Sign and kms:GetPublicKey on it, and that the VPC reaches KMS; then start purge once more, which signs it',
      cause: error,
    });
  }
}
