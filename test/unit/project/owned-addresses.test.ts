import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ViewAddress } from '../../../src/contracts/project-facts.js';
import { describeAddresses } from '../../../src/project/owned-addresses.js';
import { djangoProject } from '../../support/make-release.js';

test('of many views below one prefix the log has one sentence, of a few each its own', () => {
  const views = (prefix: string, count: number): readonly ViewAddress[] =>
    Array.from({ length: count }, (_, index) => ({
      prefix,
      pieces: ['/', `_plugin/${index}/`],
      isExact: false,
      view: `wiki.views.view${index}`,
    }));
  const addresses = [...views('/media/', 31), ...views('/files/', 2)];
  const project = djangoProject({ mediaPrefix: '/media/', addresses });
  const sentences = describeAddresses(project, { serveStatic: true, serveMedia: 'auto' });
  assert.equal(
    sentences[0],
    '31 views of the URLconf have addresses below /media/. The first: The application answers /…_plugin/0/… below /media/, because the URLconf has a view of its own there (wiki.views.view0). To have easyserve serve them to everybody: serveMedia = true',
  );
  assert.deepEqual(
    sentences.slice(1),
    [0, 1].map(
      (index) =>
        `The files at /files/ hide the view wiki.views.view${index} at /…_plugin/${index}/… below /files/: it is never asked.`,
    ),
  );
});
