// One bucket with its settings, policy, objects and uploads. Opened at start and by CreateBucket.
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../functions/shared/clock.ts';
import { type BucketObjects, openBucketObjects } from './bucket-objects.ts';
import { type BucketUploads, openBucketUploads } from './bucket-uploads.ts';
import { createIdSource } from './create-id-source.ts';
import { type BucketPolicy, readBucketPolicy } from './read-bucket-policy.ts';
import { storeError } from './store-error.ts';
import { makeFolders, type StorePaths, storePaths } from './store-paths.ts';
import { writeJson } from './version-record.ts';

export interface BucketSettings {
  readonly name: string;
  /** Keeps older versions; always true with object lock. */
  readonly versioned?: boolean;
  /** Object lock with a default governance retention: `true` means one day; 0 days means none by default. */
  readonly objectLock?: boolean | { readonly days: number };
  /** An S3 bucket policy as parsed JSON; see read-bucket-policy.ts for what it may hold. */
  readonly policy?: unknown;
}

export interface Bucket {
  readonly name: string;
  readonly versioned: boolean;
  readonly locked: boolean;
  /** Days of default governance retention; 0 means none. */
  readonly retentionDays: number;
  /** ISO instant. */
  readonly created: string;
  readonly paths: StorePaths;
  readonly policy: BucketPolicy;
  readonly objects: BucketObjects;
  readonly uploads: BucketUploads;
}

/** Opens or makes a bucket; the settings given win over those of an earlier run. */
export async function openBucket(
  directory: string,
  settings: BucketSettings,
  clock: Pick<Clock, 'now'>,
): Promise<Bucket> {
  checkBucketName(settings.name);
  const policy = readBucketPolicy(settings.name, settings.policy);
  const paths = storePaths(directory, settings.name);
  await makeFolders(paths);
  const earlier = await readSettings(paths);
  const created = earlier?.created ?? clock.now().toISOString();
  await writeJson(paths.settings, { ...settings, created });

  const locked = settings.objectLock !== undefined && settings.objectLock !== false;
  const versioned = settings.versioned === true || locked;
  const ids = createIdSource(clock);
  return {
    name: settings.name,
    versioned,
    locked,
    retentionDays: typeof settings.objectLock === 'object' ? settings.objectLock.days : Number(locked),
    created,
    paths,
    policy,
    objects: await openBucketObjects({ paths, versioned, clock, ids }),
    uploads: await openBucketUploads(paths, clock, ids),
  };
}

/** The settings that an earlier run stored, or undefined. */
export async function readSettings(paths: StorePaths): Promise<(BucketSettings & { created: string }) | undefined> {
  const text = await readFile(paths.settings, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as BucketSettings & { created: string });
}

function checkBucketName(name: string): void {
  // Also what keeps a bucket out of the side folder and inside the directory.
  if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..')) return;
  throw storeError('InvalidBucketName', `The specified bucket is not valid: "${name}"`);
}
