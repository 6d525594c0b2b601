import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { Machine, whyNoMachine } from '../support/machine.js';
import { makeMachineSite } from '../support/machine-site.js';
import { visitDuring } from '../support/visit-during.js';

const page = 'http://127.0.0.1:8000/';
const service = 'easyserve-shop';
const dropIn = `/etc/systemd/system/${service}.service.d`;

/** One boot, and the life of one site: each step goes on from where the one before it ended. */
test('a site under a live systemd', { skip: whyNoMachine() ?? false, timeout: 400_000 }, async (t) => {
  const machine = await Machine.boot(t);
  const ask = (path = '') => machine.fetch(`${page}${path}`);
  const untilAnswer = (wanted: string) =>
    eventually(() => assert.equal(ask(), wanted), { timeoutMs: 90_000, intervalMs: 200 });
  const property = (name: string) =>
    machine.sh(`systemctl show --property ${name} --value ${service}`).trim();
  const turnTo = (release: string) =>
    machine.sh(`ln -sfn releases/${release} /srv/shop/next`, 'mv -T /srv/shop/next /srv/shop/current');

  await t.test('install from a link makes the missing folders, and the site serves', () => {
    makeMachineSite(machine, '/srv/shop/releases/1');
    machine.sh('chown shop: /srv/shop /srv/shop/releases');
    turnTo('1');
    const install = ['cd /srv/shop/current', 'export SHOP_SECRET="of the shop"'];
    const refused = machine.run('sh', '-ec', [...install, 'easyserve install'].join('\n'));
    assert.match(refused.output, /^easyserve: SHOP_SECRET is set here and read by the application/m);
    const said = machine.sh(...install, 'easyserve install --save-env /etc/shop.env');
    assert.equal(machine.sh('stat --format "%U %a" /etc/shop.env'), 'shop 600\n');
    assert.equal(machine.run('grep', '--recursive', 'of the shop', '/etc/systemd').code, 1);
    assert.match(said, /easyserve-shop\.service: created/);
    machine.sh(`systemctl restart ${service}`);
    assert.equal(ask(), 'release 1');
    assert.equal(ask('static/site.css'), '/* 1 */');
    assert.equal(ask('environment?name=SHOP_SECRET'), 'of the shop');
    assert.equal(ask('upload'), 'stored');
    assert.equal(ask('media/a.txt'), 'uploaded to 1');
  });

  await t.test(
    'a reload brings in the release that the link was turned to, and no visitor notices',
    async () => {
      makeMachineSite(machine, '/srv/shop/releases/2', { release: '2' });
      const { answered, failures } = await visitDuring(machine, page, () => {
        turnTo('2');
        machine.sh(`systemctl reload ${service}`);
        assert.equal(ask(), 'release 2');
      });
      assert.deepEqual(failures, []);
      assert.ok(answered > 0);
      assert.equal(ask('upload'), 'stored');
      assert.equal(ask('media/a.txt'), 'uploaded to 2');
      assert.equal(ask('static/site.css'), '/* 2 */');
    },
  );

  await t.test(
    'a broken release is refused, stands among the errors of the journal, and the old one serves',
    () => {
      makeMachineSite(machine, '/srv/shop/releases/3', { moreSettings: "raise Exception('half done')\n" });
      turnTo('3');
      assert.notEqual(machine.run('systemctl', 'reload', service).code, 0);
      const errors = machine.sh(`journalctl --priority err --output cat -u ${service}`);
      assert.match(errors, /^\{"level":"error".*"event":"reload-failed".*half done/m);
      assert.match(errors, /^easyserve: .*half done/m);
      assert.doesNotMatch(errors, /"level":"(?:info|warn)"/);
      assert.equal(ask(), 'release 2');
      turnTo('2');
    },
  );

  await t.test('restarts are not counted: the sixth start in a row succeeds like the first', () => {
    for (let number = 1; number <= 5; number++) machine.sh(`systemctl restart ${service}`);
    assert.equal(ask(), 'release 2');
  });

  await t.test('killed, it comes back by itself', async () => {
    const before = property('MainPID');
    machine.sh(`kill -KILL ${before}`);
    await untilAnswer('release 2');
    assert.notEqual(property('MainPID'), before);
  });

  await t.test('one that hangs is ended by the watchdog, and comes back', async () => {
    machine.sh(
      `mkdir -p ${dropIn}`,
      `printf '[Service]\\nWatchdogSec=4\\nTimeoutAbortSec=2\\n' >${dropIn}/quick.conf`,
      'systemctl daemon-reload',
      `systemctl restart ${service}`,
    );
    const before = property('MainPID');
    machine.sh(`kill -STOP ${before}`);
    await eventually(() => assert.notEqual(property('MainPID'), before), {
      timeoutMs: 60_000,
      intervalMs: 300,
    });
    await untilAnswer('release 2');
    assert.match(machine.sh(`journalctl -u ${service}`), /Watchdog timeout/);
    machine.sh(`rm -r ${dropIn}`, 'systemctl daemon-reload', `systemctl restart ${service}`);
  });

  await t.test('a stop leaves no process, and is no failure', () => {
    machine.sh(`systemctl stop ${service}`);
    assert.equal(property('ActiveState'), 'inactive');
    assert.equal(property('Result'), 'success');
    assert.equal(machine.run('ps', '-u', 'shop').output.includes('node'), false);
  });

  await t.test(
    'with sockets of systemd a visitor starts it, and a restart lets those wait who come meanwhile',
    async () => {
      machine.sh(
        'cd /srv/shop/current',
        'easyserve install --socket --env-file /etc/shop.env',
        `systemctl start ${service}-http.socket`,
      );
      assert.equal(property('ActiveState'), 'inactive');
      assert.equal(ask(), 'release 2');
      const restart = () => machine.sh(`systemctl restart ${service}`);
      const { failures } = await visitDuring(machine, page, restart, 'fresh');
      assert.deepEqual(failures, []);
    },
  );

  await t.test('another site whose folder has the same name gets a service of its own', () => {
    makeMachineSite(machine, '/srv/two/shop', { release: 'two', port: 8001 });
    assert.match(machine.sh('cd /srv/two/shop', 'easyserve install'), /easyserve-shop-2\.service: created/);
    machine.sh('systemctl restart easyserve-shop-2');
    makeMachineSite(machine, '/srv/three', { port: 8001, moreSettings: "MEDIA_ROOT = '/srv/media/three'\n" });
    const said = machine.sh('cd /srv/three', 'easyserve install --name three');
    assert.match(said, /^Port 8001 is taken by process \d+ \(\w+\), so the service cannot start yet\.$/m);
    assert.equal(machine.sh('stat --format %U /srv/media/three'), 'shop\n');
    machine.sh('chmod 700 /usr/local/share', 'cp -r --no-dereference $(which node) /usr/local/share/node');
    const unreachable = machine.run(
      'sh',
      '-c',
      'cd /srv/three && /usr/local/share/node /opt/easyserve/bin/easyserve.js install',
    );
    assert.match(unreachable.output, /^easyserve: The user shop cannot run \/usr\/local\/share\/node/m);
    machine.sh('cd /srv/three', 'easyserve uninstall');
    makeMachineSite(machine, '/srv/three', {
      moreSettings: "MEDIA_ROOT = '/etc/systemd/system/ssh.service.d'\n",
    });
    const refused = machine.run('sh', '-c', 'cd /srv/three && easyserve install');
    assert.match(refused.output, /fix: sudo install -d -o shop "\/etc\/systemd\/system\/ssh\.service\.d"$/m);
    assert.equal(machine.fetch('http://127.0.0.1:8001/'), 'release two');
    assert.equal(ask(), 'release 2');
    machine.sh('cd /srv/two/shop', 'easyserve uninstall');
    assert.equal(ask(), 'release 2');
  });

  await t.test('it serves after a boot', async () => {
    machine.sh('cd /srv/shop/current', 'easyserve install --env-file /etc/shop.env');
    await machine.stop();
    await machine.start();
    await untilAnswer('release 2');
  });

  await t.test('it keeps to MemoryMax= and CPUQuota=', (step) => {
    const [, group = ''] = /^0::(.*)$/m.exec(machine.sh(`cat /proc/${property('MainPID')}/cgroup`)) ?? [];
    machine.sh(`systemctl set-property --runtime ${service} MemoryMax=400M CPUQuota=150%`);
    const limit = machine.path(`/sys/fs/cgroup${group}/memory.max`);
    if (!existsSync(limit)) return step.skip('not run: the cgroups of this machine have no limits to give');
    machine.sh(`systemctl restart ${service}`);
    assert.equal(ask(), 'release 2');
    return undefined;
  });

  await t.test('uninstall leaves nothing', () => {
    machine.sh('cd /srv/shop/current', 'easyserve uninstall');
    assert.equal(machine.sh('ls /etc/systemd/system').includes('easyserve'), false);
    assert.match(machine.run('systemctl', 'status', service).output, /could not be found/);
  });
});
