// Creates the empty scratch database beside the live one, as it: encoding, locale, and the settings that sessions get there.
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteIdentifier, quoteLiteral } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

interface LocaleRow {
  major: number;
  encoding: string;
  locale_provider: string;
  collate: string;
  ctype: string;
  locale: string | null;
}

/** Makes it in the live session, outside of a transaction. Nobody but its owner may connect to it. */
export async function makeScratchDatabase(live: DatabaseSession, name: string): Promise<void> {
  const { rows } = await live.query<LocaleRow>(readSqlFile('inventory/database.sql'));
  const row = rows[0];
  if (!row) throw new Error('sql/inventory/database.sql gave no row');
  const scratch = quoteIdentifier(name);
  await live.query(`create database ${scratch} template = template0 ${localeOptions(row).join(' ')}`);
  await live.query(`revoke connect on database ${scratch} from public`);
  const settings = await live.query<{ name: string; value: string }>(readSqlFile('migrate/database-settings.sql'));
  for (const setting of settings.rows) {
    // Through the setting itself: it knows which of its values are lists, and how they are quoted.
    await live.query('begin');
    await live.query('select pg_catalog.set_config($1, $2, true)', [setting.name, setting.value]);
    await live.query(`alter database ${scratch} set ${quoteSetting(setting.name)} from current`);
    await live.query('commit');
  }
}

function localeOptions(row: LocaleRow): string[] {
  const options = [
    `encoding = ${quoteLiteral(row.encoding)}`,
    `lc_collate = ${quoteLiteral(row.collate)}`,
    `lc_ctype = ${quoteLiteral(row.ctype)}`,
  ];
  if (row.major < 15 || row.locale_provider === 'c') return options;
  const provider = row.locale_provider === 'i' ? 'icu' : 'builtin';
  return [...options, `locale_provider = ${provider}`, `${provider}_locale = ${quoteLiteral(row.locale ?? '')}`];
}

/** A setting of an extension has two parts. */
function quoteSetting(name: string): string {
  return name.split('.').map(quoteIdentifier).join('.');
}
