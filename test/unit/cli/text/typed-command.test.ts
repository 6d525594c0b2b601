import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typedCommand } from '../../../../src/cli/text/typed-command.js';

type Env = Readonly<Record<string, string | undefined>>;

const cases: readonly (readonly [string, Env, string])[] = [
  ['/srv/site', {}, 'easyserve reload'],
  ['/srv/site', { npm_lifecycle_event: 'npx' }, 'npx easyserve reload'],
  ['/srv/site', { npm_lifecycle_event: 'start' }, 'easyserve reload'],
  ['/srv/site/shop', {}, 'easyserve reload shop'],
  ['/srv/other', {}, 'easyserve reload /srv/other'],
  ['/srv/site/my shop', {}, "easyserve reload 'my shop'"],
  ["/srv/site/it's", {}, "easyserve reload 'it'\\''s'"],
];

for (const [projectDir, env, typed] of cases) {
  test(`${projectDir} ${JSON.stringify(env)}: ${typed}`, () => {
    assert.equal(typedCommand('reload', projectDir, { cwd: '/srv/site', env }), typed);
  });
}
