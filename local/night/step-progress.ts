// What a step of the night says of itself while it works, taken from its log lines.

/** `backup: archive dumped` for the log event backup.archive_dumped; undefined for lines that are no milestone. */
export function progressOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    const event = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'event') : undefined;
    return typeof event === 'string' ? event.replace('.', ': ').replaceAll('_', ' ') : undefined;
  } catch {
    // A line that only looks like JSON is no milestone; it is in the log of the night all the same.
    return undefined;
  }
}
