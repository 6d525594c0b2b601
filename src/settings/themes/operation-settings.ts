import { boolean, listOf, oneOf, textLike } from '../formats.js';
import { defineSetting } from '../setting-definition.js';

const findingName = textLike(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'the name of a finding');

export const operationSettings = {
  watch: defineSetting({
    format: boolean,
    default: true,
    doc: 'Whether a change of the settings file reloads the site.',
    effect: 'live',
  }),
  logLevel: defineSetting({
    format: oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    doc: "Least level that is logged. The application's own output is always logged.",
    effect: 'live',
  }),
  logFormat: defineSetting({
    format: oneOf('auto', 'pretty', 'json'),
    default: 'auto',
    doc: '"pretty" writes lines for people, "json" one JSON object a line; "auto" is pretty on a terminal, else json. Fixed from start to stop.',
    effect: 'restart',
  }),
  accessLog: defineSetting({
    format: boolean,
    default: true,
    doc: 'Whether each request is logged.',
    effect: 'live',
  }),
  silencedFindings: defineSetting({
    format: listOf(findingName, 'a list of names of findings, like ["debug-on", "django.security.W004"]'),
    default: [],
    doc: 'Findings that `easyserve check` and the start leave out, by their names (check.md).',
    effect: 'live',
  }),
};
