-- How many large objects there are. Any role; no locks; read only.
select count(*)::int as count
from pg_catalog.pg_largeobject_metadata;
