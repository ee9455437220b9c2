// HTML from template strings in which everything is escaped that is not HTML made here. Names of tables, messages of
// servers and requests of people end up in our pages: none of them may become markup.

/** A piece of markup whose texts are escaped already. Only `html` makes one. */
export interface Markup {
  readonly markup: string;
}

type Part = Markup | readonly Markup[] | string | number;

/** `html\`<p>${text}</p>\`` with the text escaped; markup and lists of markup go in as they are. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const markup = strings.reduce((whole, string, index) => {
    const part = parts[index - 1];
    return whole + (part === undefined ? '' : renderPart(part)) + string;
  });
  return { markup };
}

function renderPart(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return escapeText(String(part));
  return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe between tags and inside a quoted attribute; control characters, also those that turn the direction of text, become U+FFFD. */
export function escapeText(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
    .replaceAll(/(?![\t\n\r])[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}
