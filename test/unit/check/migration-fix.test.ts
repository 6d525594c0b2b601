import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecks } from '../../../src/check/run-checks.js';
import type { DjangoFacts } from '../../../src/contracts/project-facts.js';
import { djangoSubject, type SubjectShape, soundMachine } from '../../support/check-subject.js';

const databases = [{ alias: 'default', unapplied: ['shop.0001_initial'] }];

async function fixFor(machine: SubjectShape['machine'], more: object = {}): Promise<string | undefined> {
  const facts: Partial<DjangoFacts> = { examination: { databases, messages: [], isComplete: true } };
  const subject = djangoSubject(facts, { machine: { ...soundMachine, ...machine } });
  const found = await runChecks({ ...subject, project: { ...subject.project, ...more } });
  return found.find(({ name }) => name === 'migrations-unapplied')?.fix;
}

test('migrations run with the settings of the site, and as its user where root types', async () => {
  assert.equal(await fixFor({}), '/python manage.py migrate');
  assert.equal(
    await fixFor({}, { hasOtherManageSettings: true }),
    '/python manage.py migrate --settings=site.settings',
  );
  assert.equal(
    await fixFor({ asRoot: '', user: 'easyserve-shop' }),
    'runuser -u easyserve-shop -- /python manage.py migrate',
  );
  assert.equal(await fixFor({ asRoot: '', user: 'root' }), '/python manage.py migrate');
});
