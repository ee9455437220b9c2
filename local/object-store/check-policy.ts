// The IAM action that each operation needs, as S3 maps them, and the question to the bucket policy.
// Called before an operation starts; DeleteObjects asks once per object.
import type { Operation } from './name-operation.ts';
import { type BucketPolicy, loopbackTransport } from './read-bucket-policy.ts';
import { header, type StoreRequest } from './read-request.ts';
import { storeError } from './store-error.ts';

const actions: Record<Operation, string> = {
  ListBuckets: 's3:ListAllMyBuckets',
  CreateBucket: 's3:CreateBucket',
  HeadBucket: 's3:ListBucket',
  ListObjectsV2: 's3:ListBucket',
  ListObjectVersions: 's3:ListBucketVersions',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  DeleteObjects: 's3:DeleteObject',
  PutObject: 's3:PutObject',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  DeleteObject: 's3:DeleteObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListParts: 's3:ListMultipartUploadParts',
  PutObjectRetention: 's3:PutObjectRetention',
  GetObjectRetention: 's3:GetObjectRetention',
};
const perVersion: ReadonlySet<Operation> = new Set(['GetObject', 'HeadObject', 'DeleteObject', 'DeleteObjects']);
const creations: ReadonlySet<Operation> = new Set(['PutObject', 'CompleteMultipartUpload']);

/** Throws AccessDenied when the bucket's policy denies the operation on this key (and version). */
export function checkPolicy(
  policy: BucketPolicy,
  request: StoreRequest & { readonly operation: Operation },
  key: string,
  versionId: string | undefined,
): void {
  const { operation } = request;
  const action = `${actions[operation]}${versionId !== undefined && perVersion.has(operation) ? 'Version' : ''}`;
  const resource = `arn:aws:s3:::${request.bucket}${key === '' ? '' : `/${key}`}`;
  const context = {
    ...loopbackTransport,
    's3:if-none-match': header(request, 'if-none-match'),
    's3:if-match': header(request, 'if-match'),
    's3:ObjectCreationOperation': String(creations.has(operation)),
  };
  const asked = [
    action,
    ...(header(request, 'x-amz-bypass-governance-retention') ? ['s3:BypassGovernanceRetention'] : []),
  ];
  if (asked.some((name) => policy.denies(name, resource, context))) {
    throw storeError('AccessDenied', `The policy of the bucket denies ${action} on "${resource}"`);
  }
}
