import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findContainerSign } from '../../../src/privileges/container.js';

interface World {
  readonly pid?: number;
  readonly files?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

function look({ pid = 4711, files = {}, namespace = 'pid:[4026532001]' }: World): string | undefined {
  return findContainerSign({
    pid,
    exists: (path) => path in files,
    read: (path) => files[path],
    readLink: (path) => (path === '/proc/self/ns/pid' ? namespace : undefined),
  });
}

const machine = 'pid:[4026531836]';
const cases: readonly (readonly [string, World, RegExp | undefined])[] = [
  [
    'a server',
    { namespace: machine, files: { '/proc/self/cgroup': '0::/user.slice/session-1.scope\n' } },
    undefined,
  ],
  [
    'a service',
    { namespace: machine, files: { '/proc/self/cgroup': '0::/system.slice/docker-shop.service\n' } },
    undefined,
  ],
  ['process 1', { pid: 1 }, /process 1/],
  ['Docker', { files: { '/.dockerenv': '' } }, /\.dockerenv/],
  ['a virtual machine made from an image', { namespace: machine, files: { '/.dockerenv': '' } }, undefined],
  ['Podman', { files: { '/run/.containerenv': '' } }, /containerenv/],
  [
    'Kubernetes',
    { files: { '/proc/self/environ': 'A=b\0KUBERNETES_SERVICE_HOST=10.0.0.1\0' } },
    /KUBERNETES/,
  ],
  [
    'Docker, cgroup 1',
    { files: { '/proc/self/cgroup': '4:memory:/docker/0123456789ab\n' } },
    /one of docker/,
  ],
  [
    'Docker by systemd',
    { files: { '/proc/1/cgroup': '0::/system.slice/docker-0123456789ab.scope\n' } },
    /one of docker/,
  ],
  [
    'a pod',
    {
      files: {
        '/proc/self/cgroup': '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123456789ab.scope\n',
      },
    },
    /kubepods/,
  ],
  [
    'rootless Podman',
    { files: { '/proc/self/cgroup': '0::/user.slice/libpod-0123456789ab.scope/container\n' } },
    /libpod/,
  ],
  ['LXC, a whole machine', { files: { '/proc/1/cgroup': '0::/lxc.payload.web\n' } }, undefined],
];
for (const [name, world, expected] of cases) {
  test(name, () => {
    const sign = look(world);
    if (expected === undefined) assert.equal(sign, undefined);
    else assert.match(sign ?? '', expected);
  });
}
