// A table, a policy and links as the catalog would tell them, for the pure parts of purge.
import { type Inheritance, type Link, type LinkGraph, linkGraph } from '../../../functions/purge/links/link-graph.ts';
import type { TableFacts } from '../../../functions/purge/links/read-tables.ts';
import type { RetentionPolicy } from '../../../functions/purge/policy/read-policies.ts';

export const policyOf = (more: Partial<RetentionPolicy> = {}): RetentionPolicy => ({
  name: 'events',
  schema_name: 'app',
  table_name: 'event',
  table_oid: '1',
  timestamp_column: 'created_at',
  retention: '7 years',
  predicate: null,
  action: 'delete',
  archive_before_delete: false,
  enabled: true,
  batch_rows: null,
  reason: 'a test',
  version: 1,
  anonymise: null,
  marker_column: null,
  keep_partitions: null,
  cutoff: '2019-11-22 00:00:00+00',
  is_past: true,
  ...more,
});

export const tableFacts = (more: Partial<TableFacts> = {}): TableFacts => {
  const name = more.table_name ?? 'event';
  return {
    table_oid: '1',
    schema_name: 'app',
    table_name: name,
    label: `app.${name}`,
    qualified: `"app"."${name}"`,
    kind: 'r',
    descendants: null,
    ancestors: null,
    bytes: 1e12,
    estimated_rows: 1e10,
    columns: [
      { name: 'id', type: 'bigint', generated: false },
      { name: 'created_at', type: 'timestamp with time zone', generated: false },
    ],
    key_columns: ['id'],
    primary_key: ['id'],
    leading_columns: ['id', 'created_at'],
    row_security_cuts: false,
    row_security_shows_all: false,
    may_select: true,
    may_delete: true,
    may_lock: true,
    updatable: ['id'],
    owner: 'app',
    is_owner: false,
    role_name: 'nightshift_purge',
    ...more,
  };
};

/** A foreign key written as `child > parent`. */
export function link(text: string, onDelete: Link['onDelete'] = 'cascade'): Link {
  const [childOid = '', parentOid = ''] = text.split(' > ');
  return {
    name: `${childOid}_${parentOid}_fkey`,
    childOid,
    parentOid,
    childColumns: [`${parentOid}_id`],
    parentColumns: ['id'],
    onDelete,
    setColumns: [`${parentOid}_id`],
    hasIndex: true,
  };
}

export const graphOf = (links: readonly Link[], inheritance: readonly Inheritance[] = []): LinkGraph =>
  linkGraph(links, inheritance);
