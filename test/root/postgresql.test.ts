import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChecks } from '../../src/check/run-checks.js';
import { makeSubject } from '../support/check-subject.js';
import { makeTempDir } from '../support/copy-fixture.js';
import { plantProject } from '../support/planted-project.js';
import { startPostgres, whyNoPostgres } from '../support/postgresql.js';
import { detectDjango } from '../unit/project/project-files.js';

/** 20, of which three are the superuser's. */
const MOST = 17;

test('what check says of a PostgreSQL', { skip: whyNoPostgres() ?? false, timeout: 300_000 }, async (t) => {
  const { host, psycopg, run } = await startPostgres(t, MOST + 3);
  run('CREATE ROLE shop LOGIN');
  run('CREATE DATABASE shop OWNER shop');
  const find = async (more: string, threads: number, extra = '') => {
    const root = join(makeTempDir(t), 'site');
    mkdirSync(root);
    const database = `'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'USER': 'shop', 'HOST': '${host}', 'CONN_MAX_AGE': 60`;
    const lines = [
      `import sys; sys.path.append(${JSON.stringify(psycopg)})`,
      "MIGRATION_MODULES = {'auth': None, 'contenttypes': None, 'sessions': None}",
      `DATABASES = {'default': {${database}, ${more}}}`,
      extra,
    ];
    const project = await detectDjango(plantProject(root, lines.join('\n')), { examine: true });
    const plan = { ...makeSubject({ project }).plan, processes: 1, threads };
    const findings = await runChecks({ ...makeSubject({ settings: { host: '127.0.0.1' }, project }), plan });
    return findings.map(({ name, severity, message }) => `${name} ${severity}: ${message}`);
  };

  assert.deepEqual(await find('', 8), []);
  const [nearly] = await find('', 9);
  assert.match(nearly ?? '', new RegExp(`^database-connections warning: .* 9 .* reload, .* takes ${MOST}:`));
  const [always] = await find('', MOST + 1);
  assert.match(always ?? '', new RegExp(`^database-connections error: .* takes ${MOST}:`));
  run('ALTER ROLE shop CONNECTION LIMIT 5');
  assert.match((await find('', 3))[0] ?? '', /^database-connections warning: .* takes 5:/);
  run('ALTER ROLE shop CONNECTION LIMIT -1');

  const pool = "'OPTIONS': {'pool': {'min_size': 1, 'max_size': 5}}";
  assert.deepEqual(await find(`'CONN_MAX_AGE': 0, ${pool}`, 30), []);
  assert.match((await find(pool, 30))[0] ?? '', /^database-unreachable error: .*[Pp]ooling/);
  const replica = "DATABASES['replica'] = {**DATABASES['default']}";
  assert.match((await find('', 5, replica))[0] ?? '', /^database-connections warning: .* 10 connections/);

  const refusal = async (more: string) => (await find(more, 1))[0] ?? '';
  assert.match(
    await refusal("'NAME': 'gone'"),
    /^database-unreachable error: .*database "gone" does not exist/,
  );
  assert.match(await refusal("'PORT': '1', 'PASSWORD': 'hunter2'"), /^database-unreachable error: /);
  assert.doesNotMatch(await refusal("'PORT': '1', 'PASSWORD': 'hunter2'"), /hunter2|\n/);
});
