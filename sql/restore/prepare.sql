-- The records of a restore in its target: which steps are done. A step and its record commit together, so a step that is
-- tried again is never done twice. Runs as the role that restores; safe to rerun; dropped when the restore is complete.
create schema if not exists nightshift_restore;
create table if not exists nightshift_restore.restore (
  backup_id text not null,
  selection text not null,
  started_at timestamptz not null default now()
);
create table if not exists nightshift_restore.step (
  name text primary key,
  row_count bigint,
  -- Why it was left out; null for what was done.
  left_out text,
  ended_at timestamptz not null default clock_timestamp()
);
