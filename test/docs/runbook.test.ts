import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { ageCheckIds } from '../../functions/health/ages/age-checks.ts';
import { allChecks } from '../../functions/health/all-checks.ts';
import { failureCodes } from '../../functions/shared/job-failure.ts';
import { type JobName, jobNames } from '../../functions/shared/jobs.ts';
import { jobContracts } from '../../local/docs/job-contracts.ts';
import { ordersDatabase, propertiesOf, sampleDatabase, synthesize, templateOf } from '../infra/synthesized.ts';
import { anchorLinks, anchorsOf, inlineEvents, namesOn, payloads } from './commands.ts';
import { readPage } from './shell-blocks.ts';

const runbook = readPage('runbook.md');
const template = templateOf(synthesize([sampleDatabase()]), 'sample');
// The one with everything optional, so that every alarm there can be is among them.
const alarms = propertiesOf(templateOf(synthesize([ordersDatabase()]), 'orders'), 'AWS::CloudWatch::Alarm').map(
  ({ AlarmName }) => String(AlarmName).replace('nightshift-orders-', ''),
);
const pages = ['runbook.md', 'restore.md', 'getting-started.md', 'migrations.md'];

/** The sections below "## Alarms", by heading. */
function alarmSections(): Map<string, string> {
  const chapter = /\n## Alarms\n(.*?)\n## /s.exec(runbook)?.[1] ?? '';
  return new Map(
    chapter
      .split('\n### ')
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part]),
  );
}

/** The cells of a table of the page whose first row is `header`, without header and line below it. */
function tableBelow(header: string): string[][] {
  const lines = runbook.split('\n');
  const start = lines.indexOf(header);
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('the alarms of docs/runbook.md', () => {
  test('every alarm of the stack: it has a section, and every section has an alarm', () => {
    expect([...alarmSections().keys()].toSorted()).toEqual(alarms.toSorted());
  });

  test.each([...alarmSections()])(
    '%s: it has a description, an investigation and a resolution, in this order',
    (_, text) => {
      const places = ['**Description.**', '**Investigation.**', '**Resolution.**'].map((name) => text.indexOf(name));

      expect(places.every((place) => place > 0)).toBe(true);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    },
  );

  test.each([...alarmSections()])('%s: its investigation has a command to run', (_, text) => {
    expect(text.slice(text.indexOf('**Investigation.**'))).toMatch(/```(sh|sql)\n/);
  });

  test('the jobs that Lambda tries again by itself: they are the three that the page names', () => {
    const retried = Object.entries(template.findResources('AWS::Lambda::EventInvokeConfig'))
      .filter(([, { Properties }]) => Properties.MaximumRetryAttempts > 0)
      .map(([id]) => id.replace(/Function.*/, '').toLowerCase());

    expect(retried.toSorted()).toEqual(['expire', 'health', 'report']);
    expect(runbook).toContain('Lambda tries a failed event of expire, health and report again by itself');
  });

  test('the checks of health-critical: they are those of the code', () => {
    const named = tableBelow('| check | it means | first step |').map(([id = '']) => id.replaceAll('`', ''));

    expect(named.toSorted()).toEqual([...allChecks.map(({ id }) => id), ...ageCheckIds].toSorted());
  });
});

describe('the failure codes of docs/runbook.md', () => {
  const rows = tableBelow('| Code | Meaning | Not changed | What to do |');

  test('every code of job-failure.ts: it is in the table with the meaning of the code, and no other is', () => {
    expect(rows.map(([code, meaning]) => [code, meaning])).toEqual(
      Object.entries(failureCodes).map(([code, meaning]) => [`\`${code}\``, meaning]),
    );
  });

  test('every row: it says what was not changed and what to do', () => {
    expect(rows.filter((cells) => cells.length !== 4 || cells.some((cell) => cell === ''))).toEqual([]);
  });

  test('codes elsewhere in the pages: each is a code of job-failure.ts', () => {
    const prefixes = [...new Set(Object.keys(failureCodes).map((code) => code.split('.')[0]))].join('|');
    const shaped = new RegExp(`\`((?:${prefixes})\\.[a-z_]+)\``, 'g');
    const files = ['inventory.json', 'manifest.json', 'server.dbname'];
    const named = pages.flatMap((page) => [...readPage(page).matchAll(shaped)].map(([, code = '']) => code));

    expect(named.filter((code) => !files.includes(code) && !(code in failureCodes))).toEqual([]);
  });
});

describe.each(pages)('the commands of docs/%s', (name) => {
  const page = readPage(name);
  const isJob = (job: string): job is JobName => jobNames.some((one) => one === job);

  test('events that are sent to a job: the schema of the job takes each', () => {
    const refused = [...payloads(page), ...inlineEvents(page)].filter(
      ({ job, payload }) => !isJob(job) || !z.safeParse(jobContracts[job].event, payload).success,
    );

    expect(refused).toEqual([]);
  });

  test('every call of a function: its payload was found and looked at', () => {
    expect(payloads(page)).toHaveLength([...page.matchAll(/aws lambda invoke/g)].length);
  });

  test('functions, log groups and schedules: the stack has each', () => {
    const { functions, logGroups, schedules } = namesOn(page);
    const ofStack = (type: string, property: string) =>
      propertiesOf(template, type).map((properties) => String(properties[property]));

    expect(ofStack('AWS::Lambda::Function', 'FunctionName')).toEqual(
      expect.arrayContaining(functions.map((job) => `nightshift-sample-${job}`)),
    );
    expect(ofStack('AWS::Logs::LogGroup', 'LogGroupName')).toEqual(
      expect.arrayContaining(logGroups.map((job) => `/aws/lambda/nightshift-sample-${job}`)),
    );
    expect(ofStack('AWS::Scheduler::Schedule', 'Name')).toEqual(expect.arrayContaining(schedules));
  });

  test('log events that are searched for: the code writes each', () => {
    const root = new URL('../../', import.meta.url);
    const code = globSync('functions/**/*.ts', { cwd: root })
      .map((path) => readFileSync(new URL(path, root), 'utf8'))
      .join('\n');
    const frame = jobNames.flatMap((job) => ['started', 'finished', 'failed'].map((end) => `${job}.${end}`));

    expect(namesOn(page).logEvents.filter((event) => !frame.includes(event) && !code.includes(`'${event}'`))).toEqual(
      [],
    );
    expect(code).toContain('`${job}.failed`');
  });

  test('links to other pages and headings: each is there', () => {
    const broken = anchorLinks(page).filter(
      ({ page: to, anchor }) => !anchorsOf(to === '' ? page : readPage(to)).includes(anchor),
    );

    expect(broken).toEqual([]);
    for (const to of namesOn(page).pages) {
      expect(existsSync(new URL(`../../docs/${to}`, import.meta.url))).toBe(true);
    }
  });
});
