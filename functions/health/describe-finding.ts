// The words that the messages of several checks share: durations, counts, and who a session is.

/** `45 s`, `12 min`, `3 h 2 min`, `4 d 3 h`. */
export function describeSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `1,234,567`. */
export function describeCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

export interface SessionNames {
  pid: number;
  role_name: string | null;
  database_name?: string | null;
  application_name: string | null;
}

/** `pid 4242 (role "app", application "report", database "orders")`. */
export function describeSession(session: SessionNames): string {
  const names = [
    session.role_name === null ? undefined : `role "${session.role_name}"`,
    session.application_name === null || session.application_name === ''
      ? undefined
      : `application "${session.application_name}"`,
    typeof session.database_name === 'string' ? `database "${session.database_name}"` : undefined,
  ].filter((part) => part !== undefined);
  return names.length === 0 ? `pid ${session.pid}` : `pid ${session.pid} (${names.join(', ')})`;
}

/** Ends one session; the reader decides. */
export function terminateFix(pid: number): string {
  return `select pg_terminate_backend(${pid}); -- lock: none; rolls back what the session has not committed`;
}
