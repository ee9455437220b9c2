// What an error of the S3 client means, and the failure that a person reads. Only object-store.ts calls it.
import { describeError, JobFailure } from './job-failure.ts';

/** Whether S3 has no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

/** Whether a version has no retention date: none was set, the bucket has no object lock, or the version is gone. */
export function isNotRetained(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // A bucket without object lock answers with the code that it also has for requests that are wrong in themselves.
  if (error.name === 'InvalidRequest') return error.message.includes('Object Lock');
  return ['NoSuchObjectLockConfiguration', 'NoSuchVersion', 'NoSuchKey'].includes(error.name);
}

/** Whether the client had to send the request more than once, so that S3 may have carried out an earlier try. */
export function wasRetried(error: unknown): boolean {
  const metadata: unknown = error instanceof Error ? Reflect.get(error, '$metadata') : undefined;
  return typeof metadata === 'object' && metadata !== null && Number(Reflect.get(metadata, 'attempts')) > 1;
}

/** The failure for what a request of the client threw; a JobFailure passes as it is. */
export function explainStoreError(bucket: string, what: string, error: unknown): JobFailure {
  if (error instanceof JobFailure) return error;
  const name = error instanceof Error ? error.name : 'error';
  if (name === 'PreconditionFailed' || name === 'ConditionalRequestConflict') {
    return new JobFailure({
      code: 'object_store.exists',
      problem: `${what} in bucket "${bucket}": the object exists already`,
      safeState: 'It was not overwritten',
      hint: 'another run has made it; look at its log',
      cause: error,
    });
  }
  return new JobFailure({
    code: 'object_store.failed',
    problem: `${what} in bucket "${bucket}" failed: ${name}: ${describeError(error)}`,
    safeState: 'The request changed nothing as far as S3 has answered',
    hint: 'check the role policy, the bucket policy and the key policy, and that the VPC reaches S3',
    cause: error,
  });
}
