-- The oid of relation $1 (as in SQL), null when there is none. Role: any. Locks: none. Safe to rerun.
select jsonb_build_object('oid', to_regclass($1)::oid::text) as facts;
