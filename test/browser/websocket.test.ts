import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import { integrationTimeoutMs } from '../support/for-each-mode.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeTrustedCertificate } from '../support/trusted-certificate.js';

for (const [scheme, mode] of [
  ['http', 'single'],
  ['https', 'cluster'],
] as const) {
  test(`${scheme}, ${mode}: a page with a WebSocket of Channels`, {
    timeout: integrationTimeoutMs,
  }, async (t) => {
    const { trustedRoot, settings } = await makeTrustedCertificate(t);
    const site = await startEasyserve(t, {
      fixture: 'django-channels',
      mode,
      settings: { watch: false, streamDrainTimeoutMs: 300, ...(scheme === 'https' ? settings : {}) },
    });
    const page = await openBrowser(t, scheme === 'https' ? { trustedRoot } : {});
    const url = new URL(site.url);
    url.hostname = 'localhost';
    assert.equal(url.protocol, `${scheme}:`);
    await page.goto(url.href);
    await untilSaid(page, 'text v1');

    await t.test('text and bytes', async () => {
      await page.getByRole('button', { name: 'Send text' }).click();
      await untilSaid(page, 'text grüß dich');
      await page.getByRole('button', { name: 'Send bytes' }).click();
      await untilSaid(page, 'bytes 0 128 255');
    });

    await t.test("the application's close code", async () => {
      await page.getByRole('button', { name: 'Ask for the end' }).click();
      await untilSaid(page, 'closed with 4321');
    });

    await t.test('a reload: the page is told to leave, and comes back to the new release', async () => {
      site.writeFile('VERSION', 'v2\n');
      const { code, stderr } = await site.cli('reload');
      assert.equal(code, 0, stderr);
      await untilSaid(page, 'text v2');
      await untilSaid(page, 'closed with 1012');
      // Once for the close that it asked for, and once for the reload: no attempt was refused.
      const closings = (await page.getByRole('listitem').allTextContents()).filter((text) =>
        text.startsWith('closed'),
      );
      assert.deepEqual(closings, ['closed with 4321', 'closed with 1012']);
    });
  });
}

// Private

/** The page has written this line. */
async function untilSaid(page: Page, line: string): Promise<void> {
  await page.getByRole('listitem').filter({ hasText: line }).first().waitFor();
}
