// Fills a fresh database with one of everything that a PostgreSQL database can hold: the source with which the archive is
// proven. Makes two roles of its own; needs superuser and PostgreSQL 15.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { size } from '../test-size.ts';

export interface RichSourceSize {
  /** Rows of the big table before a tenth is deleted again; about 220 bytes of COPY text each. */
  rows: number;
  /** Large objects of many kinds; two more come on top. */
  largeObjects: number;
  /** Length of the largest single values: two texts, a bytea and a large object. */
  valueBytes: number;
}

export interface RichSource {
  readonly owner: string;
  readonly reader: string;
  /** Does in an empty database what an installed extension would do in it; run it before anything is restored there. */
  prepareRestore(client: Pick<Client, 'query'>): Promise<void>;
  /** Drops the roles; call it when the source and all that was restored from it are gone. */
  dropRoles(client: Pick<Client, 'query'>): Promise<void>;
}

/** Seconds in `npm test`, about 1.5 GB in full size (NIGHTSHIFT_ROUNDS). */
export const richSourceSize: RichSourceSize =
  size === 'full'
    ? { rows: 5_000_000, largeObjects: 1_000, valueBytes: 50_000_000 }
    : { rows: 50_000, largeObjects: 60, valueBytes: 5_000_000 };

/** Loads everything. Row values, OIDs and the order of the rows are the same in every load of one size. */
export async function loadRichSource(
  client: Pick<Client, 'query'>,
  { rows, largeObjects, valueBytes }: RichSourceSize = richSourceSize,
): Promise<RichSource> {
  const suffix = randomBytes(4).toString('hex');
  const owner = `rich_owner_${suffix}`;
  const reader = `rich_reader_${suffix}`;
  const script = (name: string) =>
    readFileSync(join(import.meta.dirname, name), 'utf8')
      .replaceAll('rich_owner', owner)
      .replaceAll('rich_reader', reader);
  await client.query(`create role ${owner} nologin; create role ${reader} nologin`);
  await client.query("set timezone = 'UTC'; set lc_monetary = 'C'; set client_min_messages = error");
  await client.query(
    `set rich.rows = ${rows}; set rich.large_objects = ${largeObjects}; set rich.value_bytes = ${valueBytes}`,
  );
  for (const name of ['00-extension', '01-types', '02-tables', '03-rows', '04-large-objects', '05-on-top']) {
    await client.query(script(`${name}.sql`));
  }
  return {
    owner,
    reader,
    prepareRestore: async (target) => {
      await target.query(script('00-extension.sql'));
    },
    dropRoles: async (administrator) => {
      await administrator.query(`drop role ${owner}; drop role ${reader}`);
    },
  };
}
