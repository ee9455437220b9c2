// An application at work while a backup is made: inserts, HOT and other updates, deletes, moves between partitions, vacuum.
// It never takes a number from a sequence: a sequence knows no snapshot, so its value would depend on the moment.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';

export interface Writer {
  /** Ends the writing and gives the number of committed transactions; throws what went wrong. */
  stop(): Promise<number>;
}

/** From the n-th transaction to its statements; `first` is above every id of the big table. */
const TRANSACTIONS: readonly ((n: number, first: number) => string)[] = [
  (n, first) =>
    `insert into app.big (id, created, author, body) select ${first + n * 10} + k, now(), 'writer', repeat('new ', 50) from generate_series(0, 9) k`,
  // HOT: no indexed column changes and pages have room.
  (n) => `update app.big set touched = touched + 1 where id between ${n * 13} and ${n * 13 + 20}`,
  (n) =>
    `update app.big set created = created + interval '1 hour', body = body || ' longer' where id between ${n * 29} and ${n * 29 + 10}`,
  (n) => `delete from app.big where id between ${n * 41} and ${n * 41 + 3} and id > 5000`,
  (n) => `update app.events set ts = ts + interval '1 year' where id between ${n * 3} and ${n * 3 + 2}`,
  (n) => `update app.toasted set external = external || '\\x00' where id = ${1 + (n % 40)}`,
  (n) => `update app.excluded_ranges set d = d where s = ''; insert into app.no_columns default values; select ${n}`,
  (n) =>
    `delete from app.texts where id = ${1000 + (n % 255)}; insert into app.inherited_child values (${n}, 'writer', 1)`,
];

/** Starts writing on a connection of its own; a vacuum comes between every 40 transactions. */
export function startWriter(client: Pick<Client, 'query'>): Writer {
  const stopping = new AbortController();
  const write = async () => {
    const { rows } = await client.query<{ first: string }>('select max(id) + 1 as first from app.big');
    const first = Number(rows[0]?.first);
    let done = 0;
    for (; !stopping.signal.aborted; done += 1) {
      await client.query(TRANSACTIONS[done % TRANSACTIONS.length]?.(done, first) ?? '');
      if (done % 40 === 39) await client.query('vacuum app.big');
      await sleep(2);
    }
    return done;
  };
  const written = write();
  // Told by stop(); until then a failure must not end the test process.
  written.catch(() => {});
  return {
    stop: async () => {
      stopping.abort();
      return await written;
    },
  };
}
