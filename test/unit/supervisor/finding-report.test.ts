import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DjangoFacts } from '../../../src/contracts/project-facts.js';
import { FindingReport } from '../../../src/supervisor/finding-report.js';
import { soundDjango } from '../../support/check-subject.js';
import { djangoProject, makeRelease } from '../../support/make-release.js';
import { RecordingLog } from '../../support/recording-log.js';

const release = (facts: Partial<DjangoFacts>) =>
  makeRelease({ project: djangoProject({ ...soundDjango, ...facts }) });

test('a release in order is not mentioned', async () => {
  const log = new RecordingLog();
  await new FindingReport(log).tell(release({}));
  assert.deepEqual(log.records, []);
});

test('each finding is a line with its fix, and is told once', async () => {
  const log = new RecordingLog();
  const report = new FindingReport(log);
  await report.tell(release({ allowedHosts: [] }));
  await report.tell(release({ allowedHosts: [] }));
  const fix = 'ALLOWED_HOSTS = ["www.example.org"] in site.settings';
  assert.deepEqual(
    log.records.map(({ event, fields }) => ({ event, fields })),
    [{ event: 'finding', fields: { name: 'allowed-hosts-empty', severity: 'error', fix } }],
  );
  await report.tell(release({ logsErrors: false }));
  assert.deepEqual(
    log.records.map(({ fields }) => fields?.name),
    ['allowed-hosts-empty', 'errors-not-logged'],
  );
});
