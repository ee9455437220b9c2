// The pages under docs/ that are generated, by file name; generate-docs.ts writes them and a test compares them.
import { eventsPage, eventsSchema } from './events-page.ts';
import { lintRulesPage } from './lint-rules-page.ts';
import { settingsPage } from './settings-page.ts';

/** File name below docs/ and text of each page. */
export function allPages(): Readonly<Record<string, string>> {
  return {
    'settings.md': settingsPage(),
    'events.md': eventsPage(),
    'events.schema.json': eventsSchema(),
    'lint-rules.md': lintRulesPage(),
  };
}
