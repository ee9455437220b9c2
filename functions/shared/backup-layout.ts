// Where everything of a backup lies in the bucket. Every key of the product is built here.

/** The keys of one backup; its id is the scheduled time, later attempts end in -2 and -3. */
export function backupKeys(database: string, backupId: string) {
  const root = `${database}/${backupId}`;
  return {
    root: `${root}/`,
    /** A file of the directory archive, as pg_dump -Fd names it: `toc.dat`, `12.dat.gz`, `blob_50001.dat.gz`. */
    archiveFile: (name: string) => `${root}/archive/${name}`,
    archive: `${root}/archive/`,
    globals: `${root}/globals.sql`,
    /** What the catalog held: names and digests of definitions. */
    inventory: `${root}/inventory.json`,
    /** What a distributed backup is to copy, and what each pass of each of its groups has copied. */
    plan: `${root}/plan.json`,
    work: (group: number, pass: number) => `${root}/work/${group}-${pass}.json`,
    workPrefix: `${root}/work/`,
    /** Written last: its presence means that the backup is complete. */
    manifest: `${root}/manifest.json`,
    /** Evidence of one verification; partial results of its groups lie beside it until they are joined. */
    verified: (runId: string) => `${root}/verified/${runId}.json`,
    verifiedPrefix: `${root}/verified/`,
    /** Which group of a verification reads what. */
    verifyPlan: (runId: string) => `${root}/verified/parts/${runId}/plan.json`,
    verifyWork: (runId: string, group: number) => `${root}/verified/parts/${runId}/${group}.json`,
    /** Evidence of one restore drill. */
    drilled: (drillId: string) => `${root}/drilled/${drillId}.json`,
    drilledPrefix: `${root}/drilled/`,
  };
}

/** The prefix of everything that belongs to a database. */
export function databasePrefix(database: string): string {
  return `${database}/`;
}

/** The claim of one attempt at the backup of a scheduled time, and the mark that the attempt failed. */
export function claimKeys(database: string, scheduled: string, attempt: number) {
  const root = `${database}/claims/${scheduled}-${attempt}`;
  return { claim: `${root}.json`, failed: `${root}.failed.json` };
}

/** Where the nightly report and the job results it reads lie. */
export function reportKeys(database: string, runId: string) {
  return { html: `${database}/reports/${runId}/report.html`, prefix: `${database}/reports/` };
}

/**
 * What a purge leaves: the archive of what it removed, and its certificate.
 *
 * A series is a run of a policy with those that went on with it. The archive has a prefix of its own, because it ends by a
 * lifecycle rule while the certificate stays. Names of tables are percent-encoded: they may hold a slash.
 */
export function purgeKeys(database: string, policy: string, series: string) {
  const archive = `${database}/purge-archive/${encodeURIComponent(policy)}/${series}`;
  const evidence = `${policyCertificatesPrefix(database, policy)}${series}`;
  return {
    archivedRows: (schema: string, table: string, number: number) =>
      `${archive}/${encodeURIComponent(`${schema}.${table}`)}/${String(number).padStart(6, '0')}.copy.gz`,
    archive: `${archive}/`,
    /** Not manifest.json, which the bucket lets nobody overwrite: this one grows with each run of the series. */
    archiveManifest: `${archive}/archive.json`,
    certificate: `${evidence}/certificate.json`,
    readable: `${evidence}/certificate.html`,
    signature: `${evidence}/certificate.signature.json`,
  };
}

/** The prefix of the certificates of a database. */
export function certificatesPrefix(database: string): string {
  return `${database}/purged/`;
}

/** The prefix of the certificates of one policy: behind it stand the series. */
export function policyCertificatesPrefix(database: string, policy: string): string {
  return `${certificatesPrefix(database)}${encodeURIComponent(policy)}/`;
}

/**
 * What health remembers of the copying of a backup to another bucket: the first `checked` of its `total` objects were copied.
 *
 * Both stand in the key, so that one listing tells of all backups.
 */
export function copySampleKeys(database: string) {
  const prefix = `${database}/health/copied/`;
  return {
    prefix,
    sample: (backupId: string, checked: number, total: number) => `${prefix}${backupId}/${checked}-of-${total}.json`,
    parse: (key: string): { backupId: string; checked: number; total: number } | undefined => {
      const [, backupId = '', checked, total] = /^([^/]+)\/(\d+)-of-(\d+)\.json$/.exec(key.slice(prefix.length)) ?? [];
      return checked === undefined ? undefined : { backupId, checked: Number(checked), total: Number(total) };
    },
  };
}

const BACKUP_ID = /^\d{8}T\d{6}Z(-[23])?$/;

/** The backup id in a key, or undefined when the key belongs to no backup. */
export function backupIdOf(database: string, key: string): string | undefined {
  if (!key.startsWith(`${database}/`)) return undefined;
  const part = key.slice(database.length + 1).split('/', 1)[0] ?? '';
  return BACKUP_ID.test(part) ? part : undefined;
}
