import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meets, warnOfOtherPython } from '../../../src/project/required-python.js';
import { makeProject } from './project-files.js';

for (const [version, wanted, isMet] of [
  ['3.11.7', '>=3.10', true],
  ['3.9.1', '>=3.10', false],
  ['3.13.0', '>=3.10,<3.13', false],
  ['3.12.9', '>= 3.10, < 3.13', true],
  ['3.12.9', '==3.12.*', true],
  ['3.12.9', '==3.12', false],
  ['3.11.2', '!=3.11.*', false],
  ['3.11.2', '~=3.11', true],
  ['3.12.0', '~=3.11.0', false],
  ['3.12.0', '^3.10', true],
  ['4.0.0', '^3.10', false],
  ['3.11.5', '~3.10', false],
  ['3.10.0', '>3.9,<=3.10', true],
  ['3.12.3', '3.12', true],
  ['3.12.3', '3', true],
  ['3.11.3', '3.12', false],
  ['3.12.3', '3.12.1', false],
  ['3.11.3', '^3.9 || ^4.0', true],
  ['3.11.3', 'whatever', true],
] as const) {
  test(`Python ${version} is ${isMet ? '' : 'not '}what ${wanted} asks for`, () => {
    assert.equal(meets(version, wanted), isMet);
  });
}

for (const [file, text, wanted] of [
  ['.python-version', '# of pyenv\n3.12\n', '3.12'],
  ['pyproject.toml', '[project]\nrequires-python = ">=3.12"\n', '>=3.12'],
  ['uv.lock', 'version = 1\nrequires-python = ">=3.12"\n', '>=3.12'],
  ['.python-version', '3.12\r\n', '3.12'],
  ['runtime.txt', 'python-3.12.1\n', '3.12.1'],
  ['.tool-versions', 'nodejs 22.1.0\npython 3.12.1\n', '3.12.1'],
  ['mise.toml', '[tools]\npython = "3.12"\n', '3.12'],
  ['environment.yml', 'dependencies:\n  - python=3.12\n  - flask\n', '3.12'],
  ['environment.yml', 'dependencies:\n  - python>=3.12\n', '>=3.12'],
  ['setup.cfg', '[options]\npython_requires = >=3.12\n', '>=3.12'],
  ['Pipfile', '[requires]\npython_version = "3.12"\n', '3.12'],
  ['pyproject.toml', '[tool.poetry.dependencies]\ndjango = "*"\npython = "^3.12"\n', '^3.12'],
] as const) {
  test(`${file} names the Python of the project, ${wanted}`, async (t) => {
    const root = makeProject(t, { [file]: text });
    assert.deepEqual(await warnOfOtherPython([root], { path: '/usr/bin/python3', version: '3.11.2' }), [
      `${root}/${file} asks for Python ${wanted}, but /usr/bin/python3 is Python 3.11.2.`,
    ]);
    assert.deepEqual(await warnOfOtherPython([root], { path: '/usr/bin/python3', version: '3.12.1' }), []);
  });
}

test('the nearest folder counts, and a Python of another kind is left alone', async (t) => {
  const root = makeProject(t, { '.python-version': '3.8', 'web/.python-version': 'pypy3.10-7.3.12' });
  const python = { path: '/usr/bin/python3', version: '3.11.2' };
  assert.equal((await warnOfOtherPython([`${root}/web`, root], python)).length, 1);
  assert.deepEqual(await warnOfOtherPython([`${root}/web`], python), []);
});
