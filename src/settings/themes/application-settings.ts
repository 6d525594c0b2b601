import { asgiServers } from '../../contracts/project-facts.js';
import { scriptPrefix } from '../address-formats.js';
import { integer, listOf, nullable, oneOf, table, textLike } from '../formats.js';
import { application, executable, folder, moduleName } from '../path-formats.js';
import { defineSetting } from '../setting-definition.js';

export const applicationSettings = {
  app: defineSetting({
    format: nullable(application),
    default: null,
    doc: 'The WSGI or ASGI application as module:callable, like mysite.wsgi:application; of a factory, module:factory(). Or the file of a Node.js application. Unset: found in the project.',
    effect: 'generation',
  }),
  server: defineSetting({
    format: oneOf('auto', 'gateway', 'cheroot', ...asgiServers, 'node'),
    default: 'auto',
    doc: 'What runs the application. "auto" takes easyserve\'s own gateway for WSGI, Cheroot where the cheroot setting is there, and for ASGI the first of the four that is installed.',
    effect: 'generation',
  }),
  interface: defineSetting({
    format: oneOf('auto', 'wsgi', 'asgi'),
    default: 'auto',
    doc: 'How a Python application is called. "auto" takes WSGI, or ASGI where the project has only that, or has channels installed.',
    effect: 'generation',
  }),
  command: defineSetting({
    format: nullable(textLike(/^[^\0]*\S[^\0]*$/, 'a command line')),
    default: null,
    doc: 'A command that starts any other server, in the shell. It finds in its environment where to listen: PORT and HOST, or SOCKET.',
    effect: 'generation',
  }),
  concurrency: defineSetting({
    format: integer(1, 1_000_000),
    default: 1024,
    doc: 'How many requests one process of an ASGI server, of Node.js or of a command gets at the same time. WebSockets do not count.',
    effect: 'generation',
  }),
  appPorts: defineSetting({
    format: listOf(integer(1, 65_535), 'a list of ports'),
    default: [9464],
    doc: 'Ports that the application opens for itself, beside the site: for metrics, as OpenTelemetry does on 9464. The processes of a site, and of two releases at a reload, share them.',
    effect: 'generation',
  }),
  transport: defineSetting({
    format: oneOf('auto', 'unix', 'tcp'),
    default: 'auto',
    doc: 'How easyserve reaches Python processes: over Unix sockets, or over TCP on this machine, each connection proved by a secret. "auto" takes Unix sockets where the system has them for Python.',
    effect: 'generation',
  }),
  folder: defineSetting({
    format: nullable(folder),
    default: null,
    doc: 'A folder of files that is the whole site. Unset: the project, where it holds an index.html and no application.',
    effect: 'generation',
  }),
  fallback: defineSetting({
    format: nullable(textLike(/^[^\0/][^\0]*$/, 'a file in the folder, like index.html')),
    default: null,
    doc: 'The file of `folder` that answers every path without a file of its own, for single-page applications.',
    effect: 'generation',
  }),
  settingsModule: defineSetting({
    format: nullable(moduleName),
    default: null,
    doc: "Django's settings module. Unset: DJANGO_SETTINGS_MODULE of the environment, else what wsgi.py names (under ASGI asgi.py), as other production servers have it, else what manage.py names.",
    effect: 'generation',
  }),
  python: defineSetting({
    format: nullable(executable),
    default: null,
    doc: "The Python interpreter that runs the application, or a virtual environment's folder. Unset: $VIRTUAL_ENV, else .venv, venv, env, .env, virtualenv or myvenv in the project or the folder above it, else what Poetry, Pipenv or uv names, else python3 of PATH.",
    effect: 'generation',
  }),
  scriptName: defineSetting({
    format: scriptPrefix,
    default: '',
    doc: 'URL prefix that the application is mounted under (the SCRIPT_NAME of WSGI), like /shop; what lies outside of it gets a 404. Empty for the root.',
    effect: 'generation',
  }),
  cheroot: defineSetting({
    format: table,
    default: {},
    doc: "Keyword arguments for the Cheroot server, like Django's CHEROOT setting. Its numthreads sets threads too, unless threads is set beside it.",
    effect: 'generation',
  }),
};
