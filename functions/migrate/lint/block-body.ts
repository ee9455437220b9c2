// The words of an SQL text without its comments and texts, for what the tree does not hold: bodies of DO blocks, cut names.

/** One alternative per kind of what is left out; a quoted name stays. */
const LEFT_OUT = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|(\$[A-Za-z_]*\$)[\s\S]*?\1|("(?:[^"]|"")*")/g;

/** The text with a blank for each comment, text in quotes and body in dollars. */
export function bodyWithoutTexts(text: string): string {
  return text.replaceAll(LEFT_OUT, (_, _tag, name?: string) => name ?? ' ');
}
