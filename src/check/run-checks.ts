import { nearestName } from '../settings/nearest-name.js';
import type { Check, Subject } from './check.js';
import { checks } from './checks.js';
import { type Finding, sortFindings } from './finding.js';

/** What is wrong with the subject, the worst first, without what `silencedFindings` names. */
export async function runChecks(subject: Subject): Promise<readonly Finding[]> {
  return sortFindings([...(await runAll(checks, subject)), ...findUnknownNames(subject)]);
}

/** What the start looks at: no notes. */
export async function runQuickChecks(subject: Subject): Promise<readonly Finding[]> {
  const quick = checks.filter(({ isQuick }) => isQuick);
  return sortFindings(await runAll(quick, subject)).filter(({ severity }) => severity !== 'note');
}

// Private

async function runAll(list: readonly Check[], subject: Subject): Promise<readonly Finding[]> {
  const silenced = new Set(subject.settings.silencedFindings);
  const heard = list.filter((check) => namesOf(check).every((name) => !silenced.has(name)));
  const found = await Promise.all(heard.map((check) => runOne(check, subject)));
  return found.flat().filter(({ name }) => !silenced.has(name));
}

async function runOne(check: Check, subject: Subject): Promise<readonly Finding[]> {
  const faults = await check.find(subject);
  return faults.map(({ name = check.name, severity = check.severity, message, fix }) => ({
    name,
    severity,
    message,
    fix,
  }));
}

function namesOf({ name, djangoIds = [] }: Check): readonly string[] {
  return [name, ...djangoIds.map((id) => `django.${id}`)];
}

/** A name that is misspelt silences nothing, which nobody would notice. */
function findUnknownNames({ settings }: Subject): readonly Finding[] {
  const known = new Set(checks.flatMap(namesOf));
  return settings.silencedFindings
    .filter((name) => !known.has(name) && !name.startsWith('django.'))
    .map((name) => {
      const meant = nearestName(name, known);
      return {
        name: 'silenced-unknown',
        severity: 'note',
        message: `silencedFindings names ${JSON.stringify(name)}, and no finding is called so.`,
        fix: meant === undefined ? 'docs/check.md lists them' : `did you mean ${JSON.stringify(meant)}?`,
      };
    });
}
