// The style sheet of the pages for people (report, certificate): no fonts, pictures or scripts from elsewhere; light, dark and print.
// Every status is also written as a word: nothing is told by colour alone.

export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #e1e5ea; --text: #1a2129; --soft: #5b6672; --code: #f1f3f6;
  --ok: #1a7f4b; --ok-back: #e5f5ec; --warning: #8f5d00; --warning-back: #fdf2d8;
  --critical: #b3261e; --critical-back: #fdeae8; --unknown: #5a4fa3; --unknown-back: #eeecfa; --bar: #4a7dbd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --card: #1a2027; --line: #2c343d; --text: #e6eaef; --soft: #98a3af; --code: #232a33;
    --ok: #5fd197; --ok-back: #16301f; --warning: #f0bd5c; --warning-back: #362a10;
    --critical: #ff8a80; --critical-back: #3d1b19; --unknown: #b3a9f5; --unknown-back: #272340; --bar: #6ea3e6;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 24px 40px; }
header { display: flex; justify-content: space-between; align-items: baseline; flex-wrap: wrap; gap: 4px 24px; margin-bottom: 16px; }
h1 { font-size: 24px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h1 small { font-size: 15px; font-weight: 500; color: var(--soft); letter-spacing: 0; }
h2 { font-size: 16px; margin: 32px 0 10px; }
h2 small { font-weight: 400; font-size: 13.5px; color: var(--soft); margin-left: 6px; }
p { margin: 0; }
.soft { color: var(--soft); }
.verdict { display: flex; gap: 16px; align-items: flex-start; border-radius: 12px; padding: 18px 20px; border: 1px solid; }
.verdict svg { flex: none; width: 36px; height: 36px; margin-top: 1px; }
.verdict strong { display: block; font-size: 21px; line-height: 1.3; }
.verdict ul { margin: 8px 0 0; padding-left: 18px; color: var(--text); }
.verdict li { margin: 3px 0; overflow-wrap: anywhere; }
.ok { color: var(--ok); } .warning { color: var(--warning); } .critical { color: var(--critical); } .unknown { color: var(--unknown); }
.verdict.ok { background: var(--ok-back); border-color: var(--ok); }
.verdict.critical { background: var(--critical-back); border-color: var(--critical); }
.verdict.unknown { background: var(--unknown-back); border-color: var(--unknown); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin-top: 16px; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.figure b { display: block; font-size: 20px; line-height: 1.35; font-weight: 650; }
.figure span { color: var(--soft); font-size: 13px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-size: 12.5px; font-weight: 600; color: var(--soft); padding: 9px 14px; border-bottom: 1px solid var(--line); white-space: nowrap; }
td { padding: 9px 14px; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
tbody tr:first-child td { border-top: 0; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.fixed { white-space: nowrap; }
/* Without it a narrow window breaks long texts after each letter instead of letting the table scroll. */
.text { min-width: 280px; } .name { min-width: 160px; }
.pill { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 13px; font-weight: 600; white-space: nowrap; }
.pill.ok { background: var(--ok-back); } .pill.warning { background: var(--warning-back); }
.pill.critical { background: var(--critical-back); } .pill.unknown { background: var(--unknown-back); }
tr.reason td { border-top: 0; padding-top: 0; font-size: 13.5px; }
.pill.proven { background: var(--ok); color: var(--card); }
.rpo { display: flex; align-items: center; flex-wrap: wrap; gap: 4px 12px; padding: 12px 14px; border-bottom: 1px solid var(--line); }
.note { font-size: 13.5px; color: var(--soft); }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
code.fix { display: block; background: var(--code); border-radius: 6px; padding: 6px 10px; margin-top: 6px; }
svg.bar { display: block; margin-top: 6px; }
svg.strip { display: block; margin-top: 3px; }
.empty { padding: 14px; color: var(--soft); }
footer { margin-top: 32px; padding-top: 14px; border-top: 1px solid var(--line); font-size: 13px; color: var(--soft); overflow-wrap: anywhere; }
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --line: #c9cfd6; --text: #000000; --soft: #444444; --code: #f4f4f4;
    --ok: #1a7f4b; --ok-back: #ffffff; --warning: #8f5d00; --warning-back: #ffffff;
    --critical: #b3261e; --critical-back: #ffffff; --unknown: #5a4fa3; --unknown-back: #ffffff; --bar: #4a7dbd;
  }
  /* A page of A4 is about 720 px wide; the tables need the width of the screen. */
  main { max-width: none; padding: 0; zoom: 0.7; }
  .card { overflow: visible; }
  .pill { border: 1px solid; }
  tr, .figure, .verdict { break-inside: avoid; }
  h2 { break-after: avoid; margin-top: 20px; }
  thead { display: table-header-group; }
}
`;
