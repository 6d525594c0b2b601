import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { startEasyserve } from '../support/start-easyserve.js';

/** Of other lengths, so that a file that is exchanged while it is sent can't be taken for either. */
const releases = ['a'.repeat(300_000), 'bc'.repeat(200_000), 'd'.repeat(250_000)] as const;

function write(folder: string, text: string): void {
  mkdirSync(folder);
  for (const name of ['small.txt', 'site.css']) writeFileSync(join(folder, name), `${name}:${text}`);
}

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn(
    'a static folder that is replaced under load is served whole: the old one, or the new one',
    async (t) => {
      let root = '';
      const easyserve = await startEasyserve(t, {
        fixture: 'wsgi-hello',
        mode,
        settings: { static: { '/assets/': 'assets' }, accessLog: false },
        prepare: (dir) => {
          root = dir;
          for (const [index, text] of releases.entries()) write(join(dir, `assets-${index}`), text);
          symlinkSync('assets-0', join(dir, 'assets'));
        },
      });
      const place = join(root, 'assets');
      const turn = (to: string): void => {
        symlinkSync(to, `${place}.new`);
        renameSync(`${place}.new`, place);
      };
      await whileVisited(easyserve.url, async (visits) => {
        await visits(20);
        turn('assets-1');
        await visits(20);
        assert.equal((await easyserve.cli('reload')).code, 0);
        await expectRelease(easyserve.url, 1);
        // In two steps, as `mv` and `cp -r` do it: in between there is no folder.
        renameSync(join(root, 'assets-1'), join(root, 'old'));
        await visits(20);
        renameSync(join(root, 'assets-2'), join(root, 'assets-1'));
        await visits(20);
        assert.equal((await easyserve.cli('reload')).code, 0);
        await expectRelease(easyserve.url, 2);
      });
      assert.equal((await ask(easyserve.url, '/version')).status, 200);
    },
  );
});

async function expectRelease(url: string, index: number): Promise<void> {
  const answer = await ask(url, '/assets/site.css');
  assert.equal(answer.body.toString(), `site.css:${releases[index]}`);
}

/** Four visitors, who look at what they get, while `act` goes on; it can wait for so many more visits. */
async function whileVisited(
  url: string,
  act: (visits: (more: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  let isOver = false;
  let visited = 0;
  let wake = (): void => {};
  const visit = async (name: string): Promise<void> => {
    while (!isOver) {
      const { status, body } = await ask(url, `/assets/${name}`);
      const whole = releases.some((text) => body.toString() === `${name}:${text}`);
      assert.ok(status === 404 || (status === 200 && whole), `${status}: ${body.length} bytes`);
      visited += 1;
      wake();
    }
  };
  const visits = (more: number): Promise<void> => {
    const until = visited + more;
    return new Promise((resolve) => {
      wake = () => {
        if (visited >= until) resolve();
      };
    });
  };
  const acting = act(visits).finally(() => {
    isOver = true;
  });
  await Promise.all([acting, ...['small.txt', 'site.css', 'small.txt', 'site.css'].map(visit)]);
}
