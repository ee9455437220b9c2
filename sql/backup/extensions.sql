-- Extensions that a restore needs on its server. Any role; no locks; read only.
select
  extname as name,
  extversion as version
from pg_catalog.pg_extension
order by 1;
