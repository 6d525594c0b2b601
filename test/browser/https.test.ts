import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openBrowser } from '../support/browser.js';
import type { Easyserve } from '../support/easyserve.js';
import { forEachMode } from '../support/for-each-mode.js';
import { journalAdmin } from '../support/journal-database.js';
import { startEasyserve } from '../support/start-easyserve.js';
import { makeTrustedCertificate } from '../support/trusted-certificate.js';

const secureCookies = '\nSESSION_COOKIE_SECURE = True\nCSRF_COOKIE_SECURE = True\n';

forEachMode(['single', 'cluster'], (mode, testIn) => {
  testIn('the example site in a browser, over HTTPS and HTTP/2', async (t) => {
    const { trustedRoot, settings } = await makeTrustedCertificate(t);
    const site = await startEasyserve(t, {
      fixture: 'django-site',
      mode,
      settings: { watch: false, ...settings },
      prepare: (dir) => appendFileSync(join(dir, 'photojournal', 'settings.py'), secureCookies),
    });
    const { https, http } = addressesOf(site);
    const page = await openBrowser(t, { trustedRoot });
    const problems = watchForProblems(page);

    await t.test('plain HTTP leads to HTTPS, which the browser trusts', async () => {
      const response = await page.goto(`${http}?favourites`);
      assert.equal(page.url(), `${https}?favourites`);
      assert.equal((await response?.request().redirectedFrom()?.response())?.status(), 308);
      const details = await response?.securityDetails();
      assert.deepEqual([details?.protocol, details?.issuer], ['TLS 1.3', 'easyserve test root']);
    });

    await t.test('page, style sheet, drawing and pictures arrive by HTTP/2', async () => {
      await page.goto(https);
      await page.waitForLoadState('networkidle');
      const protocols = (await page.evaluate(`performance.getEntries()
        .filter(({ nextHopProtocol }) => nextHopProtocol !== undefined)
        .map(({ name, nextHopProtocol }) => [new URL(name).pathname, nextHopProtocol])`)) as string[][];
      assert.deepEqual([...new Set(protocols.map(([, protocol]) => protocol))], ['h2']);
      for (const kind of [
        /^\/$/,
        /^\/static\/journal\/journal\.\w{12}\.css$/,
        /^\/static\/journal\/mark\.\w{12}\.svg$/,
        /^\/media\/.+\.png$/,
      ])
        assert.ok(
          protocols.some(([path]) => kind.test(path ?? '')),
          `${kind} among ${protocols}`,
        );
      const widths = await page.evaluate('Array.from(document.images, ({ naturalWidth }) => naturalWidth)');
      assert.ok(
        (widths as number[]).every((width) => width > 0),
        `${widths}`,
      );
    });

    await t.test('signing in to the admin, with cookies for HTTPS only', async () => {
      await page.getByRole('link', { name: 'Admin' }).click();
      await page.getByLabel('Username').fill(journalAdmin.username);
      await page.getByLabel('Password').fill(journalAdmin.password);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.getByRole('heading', { name: 'Site administration' }).waitFor();
      const cookies = await page.context().cookies();
      assert.deepEqual(cookies.map(({ name, secure }) => [name, secure]).sort(), [
        ['csrftoken', true],
        ['sessionid', true],
      ]);
    });

    await t.test('a form with a file', async () => {
      await page.goto(`${https}photos/new/`);
      await page.getByLabel('Title').fill('Reload at dawn');
      await page
        .locator('input[type=file]')
        .setInputFiles(join(site.dir, 'journal', 'samples', 'harbour.png'));
      await page.getByLabel('Taken on').fill('2024-05-06');
      await page.getByRole('button', { name: 'Add to the journal' }).click();
      await page.getByRole('heading', { name: 'Reload at dawn' }).waitFor();
    });

    await t.test('a reload while the page asks on: nothing fails, and nobody is signed out', async () => {
      site.writeFile('VERSION', 'v2\n');
      const [statuses, { code, stderr }] = await Promise.all([askUntil(page, 'v2'), site.cli('reload')]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(statuses, [200]);
      await page.goto(https);
      const footer = await page.getByRole('contentinfo').textContent();
      assert.equal(footer, `Release v2 · signed in as ${journalAdmin.username}`);
    });

    assert.deepEqual(problems, []);
  });
});

forEachMode(['single'], (_mode, testIn) => {
  testIn('a browser that does not know the root refuses the site', async (t) => {
    const { settings } = await makeTrustedCertificate(t);
    const site = await startEasyserve(t, { fixture: 'wsgi-hello', mode: 'single', settings });
    const page = await openBrowser(t);
    await assert.rejects(page.goto(addressesOf(site).https), /ERR_CERT_AUTHORITY_INVALID/);
  });
});

// Private

/** By name, as the certificate has it. */
function addressesOf(site: Easyserve): { readonly https: string; readonly http: string } {
  const { urls } = site.records.find(({ event }) => event === 'ready') as unknown as { urls: string[] };
  const [https = '', http = ''] = urls.map((url) => url.replace('127.0.0.1', 'localhost'));
  return { https, http };
}

/** What a visitor would see of a failure, or read in the browser's console. */
function watchForProblems(page: Page): readonly string[] {
  const problems: string[] = [];
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
  });
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    // The page was left before it was complete; what a server does to a request has other names.
    if (reason !== 'net::ERR_ABORTED') problems.push(`${reason} ${request.url()}`);
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // The admin has no icon; then browsers ask for this one.
    const isIcon = message.location().url.endsWith('/favicon.ico');
    if (message.type() === 'error' && !isIcon) problems.push(message.text());
  });
  return problems;
}

/** The page asks for the version again and again until it is this one; each status that it got. Rejects when a request fails. */
function askUntil(page: Page, version: string): Promise<unknown> {
  return page.evaluate(`(async () => {
    const statuses = new Set();
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
      const response = await fetch('/version', { cache: 'no-store' });
      statuses.add(response.status);
      if ((await response.json()).version === ${JSON.stringify(version)}) return [...statuses];
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the new release did not come');
  })()`);
}
