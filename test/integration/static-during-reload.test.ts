import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

const clients = 3;

// collectstatic deletes each script and style sheet and writes it anew, whether it has changed or not, while the old
// release serves them.
forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('static files are whole at every moment of a reload', async (t) => {
    const sizes = { small: 100_000, large: 3_000_000 };
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      settings: { watch: false },
      prepare: (dir) => {
        for (const [name, size] of Object.entries(sizes))
          writeScript(join(dir, `journal/static/journal/${name}.js`), size);
      },
    });
    const manifest = JSON.parse((await ask(site.url, '/static/staticfiles.json')).text) as {
      paths: Record<string, string>;
    };
    const paths = Object.keys(sizes).flatMap((name) => [
      `journal/${name}.js`,
      manifest.paths[`journal/${name}.js`] ?? '',
    ]);

    let isOver = false;
    const wrong: string[] = [];
    let count = 0;
    const client = async (): Promise<void> => {
      while (!isOver) {
        for (const path of paths) {
          const { status, body } = await ask(site.url, `/static/${path}`);
          const size = path.includes('small') ? sizes.small : sizes.large;
          count += 1;
          if (status !== 200 || body.length !== size) wrong.push(`${path}: ${status}, ${body.length} bytes`);
        }
      }
    };
    const running = Array.from({ length: clients }, client);
    for (let round = 0; round < 3; round += 1) {
      const { code, stderr } = await site.cli('reload');
      assert.equal(code, 0, stderr);
    }
    isOver = true;
    await Promise.all(running);
    assert.deepEqual(wrong, []);
    assert.ok(count > 100, `only ${count} requests`);
  });
});

function writeScript(path: string, size: number): void {
  writeFileSync(path, `// ${'x'.repeat(size - 4)}\n`);
}
