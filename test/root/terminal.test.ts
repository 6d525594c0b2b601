import assert from 'node:assert/strict';
import { appendFileSync, chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyFixture, makeTempDir } from '../support/copy-fixture.js';
import { forEachMode } from '../support/for-each-mode.js';
import { ask } from '../support/http-client.js';
import { giveToShop, inPrivateWorld } from '../support/private-world.js';
import { Terminal } from '../support/terminal.js';

/** Tries to type into the terminal of whoever has started it (TIOCSTI, ioctl_tty(2)): by each way that leads there. */
const typing = `
import fcntl, glob, termios

def tried(name, place):
    try:
        descriptor = place if isinstance(place, int) else os.open(place, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(descriptor, termios.TIOCSTI, b'#')
        return name + ' typed'
    except OSError as error:
        return name + ' ' + errno.errorcode[error.errno]

import errno
attempts = [tried('/dev/tty', '/dev/tty'), *(tried(str(number), number) for number in range(3))]
attempts += [tried('pts', path) for path in glob.glob('/dev/pts/[0-9]*')]
with open('/proc/self/stat') as stat:
    terminal = stat.read().rpartition(')')[2].split()[4]
inner = application

def application(environ, start_response):
    if environ['PATH_INFO'] != '/terminal':
        return inner(environ, start_response)
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({'uid': os.getuid(), 'terminal': terminal, 'attempts': attempts}).encode()]
`;

inPrivateWorld(import.meta.url, () => {
  forEachMode(['single', 'cluster'], (mode, testIn) => {
    testIn('the application has no part in the terminal in which root has started it', async (t) => {
      const folder = makeTempDir(t);
      chmodSync(folder, 0o711);
      const dir = copyFixture('wsgi-hello', join(folder, 'base', 'site'));
      appendFileSync(join(dir, 'app.py'), typing);
      giveToShop(dirname(dir));
      const flags = ['--processes', mode === 'single' ? '1' : '2'];
      const terminal = new Terminal(t, dir, flags, { EASYSERVE_USER: undefined });
      const banner = await terminal.untilShown(/easyserve \d+\.\d+\.\d+ serves .*?Ctrl-C.*?\r\n\r\n/s);
      const url = banner.match(/http:\/\/127\.0\.0\.1:\d+\//)?.[0] ?? '';
      const { body } = await ask(url, '/terminal');
      const seen = JSON.parse(body.toString());
      assert.notEqual(seen.uid, 0);
      assert.equal(seen.terminal, '0');
      assert.ok(seen.attempts.includes('/dev/tty ENXIO'), seen.attempts.join());
      assert.doesNotMatch(seen.attempts.join(), /typed/);
      // Job control is still that of the person.
      terminal.type('\u0003');
      assert.equal(await terminal.exitCode(), 0);
    });
  });
});
