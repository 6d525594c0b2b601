import type { SecretKeyFacts } from '../../contracts/deployment-facts.js';
import { type Check, djangoCheck } from '../check.js';

/** As Django counts (django/core/checks/security/base.py). */
const fewestCharacters = 50;
const fewestDifferent = 5;

const fix = (module: string): string =>
  `python3 -c "import secrets; print(secrets.token_urlsafe(50))" makes one for the environment; in ${module}: SECRET_KEY = os.environ["SECRET_KEY"]`;

export const secretKeyChecks: readonly Check[] = [
  djangoCheck({
    name: 'secret-key-weak',
    severity: 'warning',
    doc: '`SECRET_KEY`, or a key of `SECRET_KEY_FALLBACKS`, is the one of `startproject`, short, or empty',
    djangoIds: ['security.W009', 'security.W025'],
    find: ({ project: { django, settingsModule } }) =>
      (django.deployment?.secretKeys ?? []).flatMap((key) => {
        const weakness = describeWeakness(key);
        if (weakness === undefined) return [];
        const message = `${key.name} ${weakness}.`;
        const isMissing = key.length === 0;
        return [{ message, fix: fix(settingsModule), ...(isMissing && ({ severity: 'error' } as const)) }];
      }),
  }),
  djangoCheck({
    name: 'secret-key-changes',
    severity: 'warning',
    doc: '`SECRET_KEY` is a new one each time the settings are loaded (an error with several processes)',
    find: ({ project: { django, settingsModule }, plan: { processes } }) => {
      if (!django.deployment?.secretKeys?.some(({ isMadeAnew }) => isMadeAnew)) return [];
      const made = 'The settings make a new SECRET_KEY each time they are loaded';
      return [
        processes > 1
          ? {
              message: `${made}: each of the ${processes} processes refuses the sessions and forms of the others.`,
              fix: fix(settingsModule),
              severity: 'error',
            }
          : { message: `${made}: every reload signs all visitors out.`, fix: fix(settingsModule) },
      ];
    },
  }),
];

// Private

function describeWeakness({ length, distinct, isExample }: SecretKeyFacts): string | undefined {
  if (length === 0) return 'is empty: every page that needs a session or a form fails';
  if (isExample)
    return 'is the insecure one that startproject made: who has seen the code can forge sessions';
  if (length < fewestCharacters) return `has only ${length} characters: who guesses it can forge sessions`;
  if (distinct < fewestDifferent)
    return `has only ${distinct} different characters: who guesses it can forge sessions`;
  return undefined;
}
