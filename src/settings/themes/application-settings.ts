import { nullable, table } from '../formats.js';
import { applicationName, executable, moduleName, scriptPrefix } from '../place-formats.js';
import type { Definitions } from '../setting-definition.js';

export const applicationSettings: Definitions<
  'app' | 'settingsModule' | 'python' | 'scriptName' | 'cheroot'
> = {
  app: {
    format: nullable(applicationName),
    default: null,
    doc: 'The WSGI application as module:callable, like mysite.wsgi:application; of a factory, module:factory(). Unset: found in the project.',
    effect: 'generation',
  },
  settingsModule: {
    format: nullable(moduleName),
    default: null,
    doc: "Django's settings module. Unset: read from manage.py.",
    effect: 'generation',
  },
  python: {
    format: nullable(executable),
    default: null,
    doc: "The Python interpreter that runs the application. Unset: the project's virtual environment, else python3.",
    effect: 'generation',
  },
  scriptName: {
    format: scriptPrefix,
    default: '',
    doc: 'URL prefix that the application is mounted under (the SCRIPT_NAME of WSGI), like /shop. Empty for the root.',
    effect: 'generation',
  },
  cheroot: {
    format: table,
    default: {},
    doc: "Keyword arguments for the Cheroot server, like Django's CHEROOT setting. Its numthreads sets threads too, unless threads is set beside it.",
    effect: 'generation',
  },
};
