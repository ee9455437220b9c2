import { describe, expect, test } from 'vitest';
import { parseExpectedJobs } from '../../functions/report/parse-expected-jobs.ts';
import { describeAge, describeBytes, describeDuration } from '../../functions/shared/describe-amounts.ts';
import { escapeText, html } from '../../functions/shared/html.ts';

describe('html', () => {
  test('texts are escaped, markup and lists of markup are not', () => {
    const items = ['<a>', 'b'].map((text) => html`<li>${text}</li>`);

    expect(html`<ul title="${'"'}">${items}</ul>${3}`.markup).toBe(
      '<ul title="&quot;"><li>&lt;a&gt;</li><li>b</li></ul>3',
    );
  });

  test('control characters are replaced, line breaks stay', () => {
    expect(escapeText('a\u0000b\nc\u001B')).toBe('a\uFFFDb\nc\uFFFD');
  });
});

describe('parseExpectedJobs', () => {
  test('jobs with hours: a list in their order', () => {
    expect(parseExpectedJobs('backup=26,health=1')).toEqual([
      { job: 'backup', hours: 26 },
      { job: 'health', hours: 1 },
    ]);
  });

  test('a name that is no job, zero hours, twice the same: all of it in one failure', () => {
    expect(() => parseExpectedJobs('bakcup=26,health=0,purge=1,purge=2')).toThrow(
      /"bakcup" is no job; "health=0" must give 1 to 999 hours; "purge" is named twice/,
    );
  });
});

describe('describeBytes, describeDuration, describeAge', () => {
  test('bytes, durations and ages: as a person reads them', () => {
    expect([0, 812, 1_500_000, 4.2e9, 5e14].map(describeBytes)).toEqual([
      '0 B',
      '812 B',
      '1.4 MiB',
      '3.9 GiB',
      '455 TiB',
    ]);
    expect([400, 38_000, 725_000, 10_920_000].map(describeDuration)).toEqual([
      '0.4 s',
      '38 s',
      '12 min 5 s',
      '3 h 2 min',
    ]);
    expect([45_000, 720_000, 18_000_000, 273_600_000].map(describeAge)).toEqual(['45 s', '12 min', '5 h', '3 d 4 h']);
  });
});
