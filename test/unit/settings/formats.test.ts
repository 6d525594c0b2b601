import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressBlocks,
  hostAddress,
  hostHeader,
  pathPrefixes,
  requestPath,
  scriptPrefix,
} from '../../../src/settings/address-formats.js';
import {
  autoOr,
  boolean,
  duration,
  type Format,
  integer,
  mapOf,
  nullable,
  oneOf,
  size,
  table,
} from '../../../src/settings/formats.js';
import {
  callableName,
  executable,
  folder,
  folders,
  foldersByPrefix,
  moduleName,
} from '../../../src/settings/path-formats.js';

interface Case {
  readonly name: string;
  readonly format: Format<unknown>;
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
  /** Text and what it is read as. */
  readonly read?: readonly (readonly [string, unknown])[];
  readonly refusedText?: readonly string[];
}

const port = integer(0, 65_535);

const cases: readonly Case[] = [
  {
    name: 'integer',
    format: port,
    accepted: [0, 80, 65_535],
    refused: [
      -1,
      65_536,
      80.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '8080',
      '8080abc',
      '',
      null,
      undefined,
      true,
      [80],
      {},
    ],
    read: [
      ['8080', 8080],
      ['0', 0],
    ],
    refusedText: [
      '8080abc',
      'abc',
      '',
      ' 8080',
      '8080 ',
      '080',
      '0x50',
      '8e3',
      '80.0',
      '+80',
      '-1',
      '70000',
      '8_080',
      '٨٠',
    ],
  },
  {
    name: 'duration',
    format: duration(1),
    accepted: [1, 2_147_483_647],
    refused: [0, 2_147_483_648, '1', '10s'],
    refusedText: ['0', '10s', '1000ms'],
  },
  {
    name: 'size',
    format: size(0),
    accepted: [0, 2 ** 40],
    refused: [-1, 2 ** 60, '1MB'],
    refusedText: ['1MB', '1k'],
  },
  {
    name: 'boolean',
    format: boolean,
    accepted: [true, false],
    refused: ['no', 'yes', 'true', 0, 1, null, ''],
    read: [
      ['no', false],
      ['No', false],
      ['0', false],
      ['false', false],
      ['False', false],
      ['yes', true],
      ['1', true],
      ['TRUE', true],
    ],
    refusedText: ['', 'on', 'off', '2', 'truee', ' true', 'y'],
  },
  {
    name: 'one of',
    format: oneOf('auto', 'never'),
    accepted: ['auto', 'never'],
    refused: ['Auto', 'always', '', null, true, ['auto']],
    refusedText: ['AUTO', ' auto'],
  },
  {
    name: 'auto or a number',
    format: autoOr(integer(1, 1024)),
    accepted: ['auto', 1],
    refused: ['AUTO', '4', 0, null],
    read: [
      ['auto', 'auto'],
      ['4', 4],
    ],
    refusedText: ['automatic', '4x', ''],
  },
  {
    name: 'nullable',
    format: nullable(port),
    accepted: [null, 80],
    refused: [undefined, '', 'null', -1],
    read: [
      ['', null],
      ['80', 80],
    ],
    refusedText: ['null', 'none'],
  },
  {
    name: 'host address',
    format: hostAddress,
    accepted: [
      `unix:/${'x'.repeat(90)}`,
      '0.0.0.0',
      '127.0.0.1',
      '::',
      '::1',
      'fe80::1%eth0',
      'localhost',
      'web-1.example.com',
      '3com.net',
    ],
    refused: [
      `unix:/${'x'.repeat(91)}`,
      `unix:/${'\xe4'.repeat(50)}`,
      'unix:/a\nb',
      'unix:a',
      '',
      '256.1.1.1',
      '1.2.3',
      '[::1]',
      'localhost:80',
      'a b',
      '-a.com',
      'a..b',
      'http://a',
      '*',
      80,
      null,
    ],
  },
  {
    name: 'host header',
    format: hostHeader,
    accepted: ['example.com', 'example.com:8000', '127.0.0.1', '127.0.0.1:80', '[::1]', '[::1]:8000'],
    refused: ['', '::1', 'example.com:', 'example.com:99999', 'a b', 'a\r\nX: y', '[127.0.0.1]', '*'],
  },
  {
    name: 'address blocks',
    format: addressBlocks,
    accepted: [[], ['10.0.0.0/8', '::1', 'fd00::/8', '192.168.1.1', '0.0.0.0/0']],
    refused: [
      '10.0.0.0/8',
      ['10.0.0.0/33'],
      ['fd00::/129'],
      ['10.0.0/8'],
      ['10.0.0.0/08'],
      ['10.0.0.0/'],
      ['/8'],
      [''],
      [1],
      null,
      ['host'],
    ],
    read: [
      ['', []],
      ['10.0.0.0/8', ['10.0.0.0/8']],
      ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
    ],
    refusedText: ['10.0.0.0/8,', 'proxy', '10.0.0.0/8 ::1'],
  },
  {
    name: 'path prefixes',
    format: pathPrefixes,
    accepted: [[], ['/upload', '/a/b/', '/%C3%A9']],
    refused: [['upload'], ['/a?b'], ['/a#b'], ['/a b'], ['/é'], [''], '/upload'],
  },
  {
    name: 'request path',
    format: requestPath,
    accepted: ['/', '/health?deep=1', '/a%20b'],
    refused: ['', 'health', 'http://a/', '/a b', '/a#b', '/a\r\nX: y', null],
  },
  {
    name: 'script prefix',
    format: scriptPrefix,
    accepted: ['', '/shop', '/a/b'],
    refused: ['/', 'shop', '/shop/', '//shop', '/a?b', '/a b', null],
  },
  {
    name: 'module name',
    format: moduleName,
    accepted: ['mysite', 'mysite.settings.production', '_a.b2', 'größe'],
    refused: ['', 'a-b', 'a.', '.a', 'a..b', '2a', 'a/b.py', 'a b', 'a:b', null],
  },
  {
    name: 'application name',
    format: callableName,
    accepted: ['wsgi:app', 'mysite.wsgi:application', 'mysite:create_app()', 'a:b.c'],
    refused: ['wsgi', 'a:', ':b', 'a:b(1)', 'a:b c', '', 'a:b;import os', null],
  },
  {
    name: 'executable',
    format: executable,
    accepted: ['python3.11', '.venv/bin/python'],
    refused: ['', 'a\0b', null, 3],
  },
  { name: 'folder', format: folder, accepted: ['files', '/srv/files'], refused: ['', 'a\0b', null, []] },
  {
    name: 'folders by prefix',
    format: foldersByPrefix,
    accepted: [{}, { '/protected/': '/srv/files', '/v1.2/': 'x' }],
    refused: [{ protected: '/srv' }, { '/a/': 1 }, { '/a/': '' }, ['/a/'], '/a/=/srv', null, new Date(0)],
    read: [
      ['', {}],
      ['/a/=/srv/a, /b/=/srv/b=c', { '/a/': '/srv/a', '/b/': '/srv/b=c' }],
    ],
    refusedText: ['/a/', '/a/=', '/a/=x,', '/a/=x,/a/=y'],
  },
  {
    name: 'table',
    format: table,
    accepted: [{}, { numthreads: 4, nested: { a: [1] } }, Object.create(null)],
    refused: [null, [], 'x', 1, new Date(0), new Map()],
    read: [['{"numthreads": 4}', { numthreads: 4 }]],
    refusedText: ['', '[]', 'numthreads=4', '{', 'null'],
  },
];

for (const { name, format, accepted, refused, read = [], refusedText = [] } of cases) {
  test(`${name}: typed values`, () => {
    for (const value of accepted)
      assert.equal(format.accepts(value), true, `accepts ${JSON.stringify(value)}`);
    for (const value of refused)
      assert.equal(format.accepts(value), false, `refuses ${JSON.stringify(value)}`);
  });

  test(`${name}: text`, () => {
    for (const [text, value] of read) {
      assert.deepEqual(format.read(text), value);
      assert.equal(format.accepts(format.read(text)), true, `accepts ${JSON.stringify(text)}`);
    }
    for (const text of refusedText) {
      assert.equal(format.accepts(format.read(text)), false, `refuses ${JSON.stringify(text)}`);
    }
  });
}

test('folders become absolute in every shape', () => {
  assert.equal(folder.resolve?.('a/../b', '/srv/site'), '/srv/site/b');
  assert.equal(nullable(folder).resolve?.(null, '/srv/site'), null);
  assert.deepEqual(folders.resolve?.(['/x', 'y'], '/srv/site'), ['/x', '/srv/site/y']);
  assert.deepEqual(foldersByPrefix.resolve?.({ '/p/': 'y' }, '/srv/site'), { '/p/': '/srv/site/y' });
});

test('a table with a name of the prototype keeps it as data', () => {
  const names = mapOf(oneOf('__proto__'), oneOf('x'), 'a table');
  assert.deepEqual(Object.keys(names.read('__proto__=x') as object), ['__proto__']);
});
