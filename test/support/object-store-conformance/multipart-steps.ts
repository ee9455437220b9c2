// The steps of a multipart upload that many conformance checks share.
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import type { ConformanceTarget } from './target.ts';

/** The smallest part that may have another one behind it. */
export const fiveMiB = Buffer.alloc(5 * 1024 ** 2, 'part of five MiB. ');

export interface StartedUpload {
  readonly key: string;
  /** Sends a part and returns its entry for the completion, with the checksum that the answer names. */
  part(
    partNumber: number,
    body: UploadPartCommandInput['Body'],
    more?: Partial<UploadPartCommandInput>,
  ): Promise<CompletedPart>;
  complete(
    parts: CompletedPart[],
    more?: Partial<CompleteMultipartUploadCommandInput>,
  ): ReturnType<typeof completeUpload>;
  abort(): Promise<unknown>;
  readonly place: { readonly Bucket: string; readonly Key: string; readonly UploadId: string };
}

/** Opens an upload for a key of its own. */
export async function startUpload(
  target: ConformanceTarget,
  client: S3Client,
  more: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<StartedUpload> {
  const where = { Bucket: target.bucket, Key: target.key('upload'), ...more };
  const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand(where));
  const place = { Bucket: where.Bucket, Key: where.Key, UploadId };
  return {
    key: where.Key,
    place,
    async part(PartNumber, Body, extra) {
      const sent = await client.send(new UploadPartCommand({ ...place, PartNumber, Body, ...extra }));
      const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = sent;
      return { PartNumber, ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 };
    },
    complete: (Parts, extra) => completeUpload(client, { ...place, MultipartUpload: { Parts }, ...extra }),
    abort: async () => await client.send(new AbortMultipartUploadCommand(place)),
  };
}

async function completeUpload(client: S3Client, request: CompleteMultipartUploadCommandInput) {
  return await client.send(new CompleteMultipartUploadCommand(request));
}
