import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSubject, namesFound } from '../../support/check-subject.js';
import { makeTempDir } from '../../support/copy-fixture.js';
import { plantProject } from '../../support/planted-project.js';
import { detectDjango } from '../project/project-files.js';

const anew = "import secrets\nSECRET_KEY = secrets.token_urlsafe(50) + 'x'\n";
const [inOne, inSeveral] = ['secret-key-changes warning', 'secret-key-changes error'];

for (const [what, lines, found] of [
  ['made anew', anew, true],
  [
    'of the environment, where else it would be made anew',
    'import os\nos.environ["OWN_KEY"] = SECRET_KEY\nfrom django.core.management.utils import get_random_secret_key\nSECRET_KEY = os.environ.get("OWN_KEY", get_random_secret_key())',
    false,
  ],
  [
    'made once, and kept in a file',
    `${anew}kept = BASE_DIR / 'key.txt'\nif not kept.exists(): kept.write_text(SECRET_KEY)\nSECRET_KEY = kept.read_text()`,
    false,
  ],
  [
    'of settings that can be loaded only once',
    `${anew}import sys\nif hasattr(sys, 'was_loaded'): raise RuntimeError\nsys.was_loaded = True`,
    false,
  ],
] as const) {
  test(`a SECRET_KEY ${what} is ${found ? 'told' : 'no finding'}`, async (t) => {
    const project = await detectDjango(plantProject(makeTempDir(t), lines));
    const findIn = async (processes: number) =>
      (await namesFound(makeSubject({ project, plan: { processes } }))).filter((name) =>
        /secret-key/.test(name),
      );
    assert.deepEqual(await findIn(1), found ? [inOne] : []);
    assert.deepEqual(await findIn(4), found ? [inSeveral] : []);
  });
}
