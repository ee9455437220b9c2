// Finds what the pages of docs/ say about AWS resources, events and payloads, so that tests can compare it with the code.

/** All `--payload '…'` of the page with the job of the function that they are sent to. */
export function payloads(page: string): { job: string; payload: unknown }[] {
  const command = /--function-name "?nightshift-\$DATABASE-([a-z-]+)"?[^']*?--payload '([^']+)'/g;
  return [...page.matchAll(command)].map(([, job = '', payload = '']) => ({ job, payload: JSON.parse(payload) }));
}

/** Events in JSON that stand in the running text, as `{"job":"migrate",…}`. */
export function inlineEvents(page: string): { job: string; payload: unknown }[] {
  return [...page.matchAll(/`(\{"job":"([a-z-]+)"[^`]*\})`/g)].map(([, text = '', job = '']) => ({
    job,
    payload: JSON.parse(text),
  }));
}

/** Log groups, functions, log events and schedules that the page names. */
export function namesOn(page: string) {
  const all = (pattern: RegExp) => [...new Set([...page.matchAll(pattern)].map(([, name = '']) => name))].toSorted();
  return {
    logGroups: all(/\/aws\/lambda\/nightshift-\$DATABASE-([a-z-]+)/g),
    functions: all(/--function-name "?nightshift-\$DATABASE-([a-z-]+)/g),
    logEvents: all(/\$\.event = "([^"]+)"/g),
    schedules: all(/get-schedule --group-name "nightshift-\$DATABASE" --name ([a-z-]+)/g),
    pages: all(/\]\(([a-z-]+\.md)/g),
  };
}

/** The anchors of a page, made from its headings as GitHub makes them. */
export function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links to headings, as page and anchor; the page is empty for a link within the page. */
export function anchorLinks(page: string): { page: string; anchor: string }[] {
  return [...page.matchAll(/\]\(([a-z-]*(?:\.md)?)#([a-z0-9_-]+)\)/g)].map(([, to = '', anchor = '']) => ({
    page: to,
    anchor,
  }));
}
