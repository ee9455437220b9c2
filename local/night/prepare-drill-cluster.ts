// Before a backup of the user's own server is restored into the throw-away cluster: the roles that its policies name
// must exist there, as they do on the user's server.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../functions/shared/backup-manifest.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { connectAsSuperuser, type NightWorld } from './night-world.ts';

/** Makes the roles of the backup that are missing, without login and without rights. */
export async function prepareDrillCluster(world: NightWorld, database: string, backupId: string): Promise<void> {
  if (!world.cluster) return;
  const key = `${database}/${backupId}/manifest.json`;
  const manifest = parseManifest(key, readFileSync(join(world.bucketFolder, key), 'utf8'));
  const client = await connectAsSuperuser(world.cluster, 'postgres');
  try {
    const { rows } = await client.query<{ rolname: string }>('select rolname from pg_catalog.pg_roles');
    const present = new Set(rows.map(({ rolname }) => rolname));
    for (const role of manifest.roles.filter((name) => !present.has(name))) {
      await client.query(`create role ${quoteIdentifier(role)} nologin`);
    }
  } finally {
    await client.end();
  }
}
