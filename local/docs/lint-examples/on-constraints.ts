// Examples of the rules on constraints.
import type { RuleExamples } from './lint-example.ts';

const orders =
  'create table app.orders (id bigint, user_id bigint); create index orders_user_id_idx on app.orders (user_id);';

export const constraintExamples: Readonly<Record<string, RuleExamples>> = {
  'require-foreign-key-not-valid': {
    bad: {
      live: orders,
      sql: 'alter table app.orders add constraint orders_user_fkey\n  foreign key (user_id) references app.users (id);',
    },
    good: {
      live: orders,
      sql: 'alter table app.orders add constraint orders_user_fkey\n  foreign key (user_id) references app.users (id) not valid;\nalter table app.orders validate constraint orders_user_fkey;',
    },
  },
  'require-check-not-valid': {
    bad: { sql: 'alter table app.orders add constraint orders_total_positive check (total > 0);' },
    good: {
      sql: 'alter table app.orders add constraint orders_total_positive check (total > 0) not valid;\nalter table app.orders validate constraint orders_total_positive;',
    },
  },
  'require-separate-validation': {
    bad: {
      sql: 'alter table app.orders\n  add constraint orders_total_positive check (total > 0) not valid,\n  validate constraint orders_total_positive;',
    },
    good: {
      sql: 'alter table app.orders add constraint orders_total_positive check (total > 0) not valid;\nalter table app.orders validate constraint orders_total_positive;',
    },
  },
  'require-not-null-proof': {
    bad: { sql: 'alter table app.orders alter column user_id set not null;' },
    good: {
      sql: 'alter table app.orders add constraint orders_user_id_there check (user_id is not null) not valid;\nalter table app.orders validate constraint orders_user_id_there;\nalter table app.orders alter column user_id set not null;',
    },
  },
  'require-unique-using-index': {
    bad: { sql: 'alter table app.users add constraint users_email_key unique (email);' },
    good: {
      sql: 'create unique index concurrently users_email_key on app.users (email);\nalter table app.users add constraint users_email_key unique using index users_email_key;',
    },
  },
  'require-primary-key-using-index': {
    bad: { sql: 'alter table app.users add constraint users_pkey primary key (id);' },
    good: {
      live: 'create table app.users (id bigint not null);',
      sql: 'create unique index concurrently users_pkey on app.users (id);\nalter table app.users add constraint users_pkey primary key using index users_pkey;',
    },
  },
  'ban-exclusion-on-existing-table': {
    bad: { sql: 'alter table app.bookings add constraint bookings_no_overlap exclude using gist (during with &&);' },
    good: {
      sql: 'create table app.bookings (\n  during tstzrange not null,\n  constraint bookings_no_overlap exclude using gist (during with &&)\n);',
    },
  },
  'require-check-before-attach': {
    bad: {
      sql: "alter table app.events attach partition app.events_2026\n  for values from ('2026-01-01') to ('2027-01-01');",
    },
    good: {
      sql: "alter table app.events_2026 add constraint events_2026_bounds\n  check (at >= '2026-01-01' and at < '2027-01-01') not valid;\nalter table app.events_2026 validate constraint events_2026_bounds;\nalter table app.events attach partition app.events_2026\n  for values from ('2026-01-01') to ('2027-01-01');",
    },
  },
};
