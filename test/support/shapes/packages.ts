import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { ask } from '../http-client.js';
import { withDeadline } from '../with-deadline.js';
import { manifestStorage, startProject, urlsPy } from './parts.js';
import type { Shape } from './shape.js';

/** Packages that real projects use, and what they change. */
export const packages: readonly Shape[] = [
  {
    name: 'django-compressor, which writes into STATIC_ROOT while the site runs (healthchecks)',
    files: {
      ...startProject('hc', {
        settings: `INSTALLED_APPS.append('compressor')
STATICFILES_FINDERS = ['django.contrib.staticfiles.finders.AppDirectoriesFinder', 'compressor.finders.CompressorFinder']
COMPRESS_ENABLED = True`,
      }),
      'pages/templates/pages/home.html': `{% load static compress %}{% compress css %}
<link rel="stylesheet" href="{% static 'pages/site.css' %}">{% endcompress %}settings={{ settings }} version={{ version }}`,
    },
    settings: 'hc.settings',
    isClustered: true,
    also: async (site) => {
      const { text } = await ask(site.url, '/');
      assert.match(text, /href="\/static\/CACHE\/css\/output\.[0-9a-f]{12}\.css"/);
    },
  },
  {
    name: 'WhiteNoise with its settings and storage (lithium)',
    files: {
      ...startProject('django_project', {
        settings: `globals().update(static_storage('whitenoise.storage.CompressedManifestStaticFilesStorage'))
MIDDLEWARE.insert(1, 'whitenoise.middleware.WhiteNoiseMiddleware')
WHITENOISE_MAX_AGE = 600
WHITENOISE_ROOT = BASE_DIR / 'public'
def add_headers(headers, path, url):
    headers['X-Served'] = url
WHITENOISE_ADD_HEADERS_FUNCTION = add_headers`,
      }),
      'public/robots.txt': 'User-agent: *',
    },
    settings: 'django_project.settings',
    also: async (site) => {
      const plain = await ask(site.url, '/static/pages/dot.svg');
      assert.equal(plain.headers['cache-control'], 'max-age=600, public');
      assert.equal(plain.headers['x-served'], '/static/pages/dot.svg');
      const robots = await ask(site.url, '/robots.txt');
      assert.equal(robots.text, 'User-agent: *');
      assert.equal(robots.headers['x-served'], '/robots.txt');
    },
  },
  {
    name: 'REST framework, static files straight from the apps (its tutorial)',
    files: startProject('tutorial', {
      settings:
        "STATIC_ROOT = None\nINSTALLED_APPS.append('rest_framework')\nREST_FRAMEWORK = {'UNAUTHENTICATED_USER': None}",
      urls: `from rest_framework.decorators import api_view
from rest_framework.response import Response
${urlsPy("path('api', lambda request: api(request)),")}
@api_view(['GET', 'POST'])
def api(request):
    return Response({'got': request.data})
`,
    }),
    settings: 'tutorial.settings',
    caches: 'no-cache',
    also: async (site) => {
      const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
      const answer = await ask(site.url, '/api', { method: 'POST', headers, body: '{"a": 1}' });
      assert.deepEqual(JSON.parse(answer.text), { got: { a: 1 } });
      assert.equal((await ask(site.url, '/static/rest_framework/css/default.css')).status, 200);
    },
  },
  {
    name: 'Channels, which wants ASGI (its chat)',
    files: {
      ...startProject('mysite', {
        settings: `ASGI_APPLICATION = 'mysite.asgi.application'\n${manifestStorage}`,
      }),
      'mysite/asgi.py': `import os
from django.core.asgi import get_asgi_application
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')
pages = get_asgi_application()
from channels.generic.websocket import WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

class Chat(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data='echo ' + text_data)

application = ProtocolTypeRouter({'http': pages, 'websocket': URLRouter([path('ws/chat', Chat.as_asgi())])})
`,
    },
    args: ['--set', 'interface=asgi'],
    settings: 'mysite.settings',
    also: async (site) => {
      const socket = new WebSocket(site.at('ws/chat').replace(/^http/, 'ws'));
      try {
        await withDeadline(once(socket, 'open'), 30_000, () => 'the WebSocket did not open');
        socket.send('hello');
        const [data] = await withDeadline(once(socket, 'message'), 30_000, () => 'no echo');
        assert.equal(String(data), 'echo hello');
      } finally {
        socket.terminate();
      }
    },
  },
  {
    name: 'htmx: one address with a page and its parts',
    files: startProject('example', {
      settings: manifestStorage,
      urls: urlsPy(
        "path('part', part),",
        `from django.http import HttpResponse
from django.views.decorators.vary import vary_on_headers
@vary_on_headers('HX-Request')
def part(request):
    return HttpResponse('part' if request.headers.get('HX-Request') else '<html>page</html>')`,
      ),
    }),
    settings: 'example.settings',
    also: async (site) => {
      const part = await ask(site.url, '/part', { headers: { 'HX-Request': 'true' } });
      assert.equal(part.text, 'part');
      assert.match(part.headers.vary ?? '', /HX-Request/i);
      assert.equal((await ask(site.url, '/part')).text, '<html>page</html>');
    },
  },
];
