import assert from 'node:assert/strict';
import { ask } from '../http-client.js';
import { manifestStorage, startProject, urlsPy } from './parts.js';
import type { Shape } from './shape.js';

/** Sessions in the cookie, so that no database is needed. */
const accounts = `${manifestStorage}
INSTALLED_APPS += ['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions']
MIDDLEWARE += ['django.contrib.sessions.middleware.SessionMiddleware',
               'django.contrib.auth.middleware.AuthenticationMiddleware']
SESSION_ENGINE = 'django.contrib.sessions.backends.signed_cookies'
LOGIN_URL = '/login'`;

const serveMedia = `from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.static import serve
`;

/** Who may see what. */
export const visitors: readonly Shape[] = [
  {
    name: 'media for those who are logged in (helpdesk, NetBox)',
    files: startProject('helpdesk', {
      settings: accounts,
      urls: urlsPy(
        "re_path(r'^media/(?P<path>.*)$', login_required(serve), {'document_root': settings.MEDIA_ROOT}),",
        serveMedia,
      ),
    }),
    settings: 'helpdesk.settings',
    says: [/^The application answers \/media\/…, because the URLconf has a view of its own there/],
    uploadStatus: 302,
  },
  {
    name: 'every page asks visitors to log in by a middleware (allauth)',
    files: {
      ...startProject('accounts', {
        settings: `${accounts}\nMIDDLEWARE.append('accounts.middleware.LoginRequiredMiddleware')`,
        urls: urlsPy(
          "path('login', lambda request: HttpResponse('log in')), re_path(r'^media/(?P<path>.*)$', serve, {'document_root': settings.MEDIA_ROOT}),",
          serveMedia,
        ),
      }),
      'accounts/middleware.py': `from django.http import HttpResponseRedirect

class LoginRequiredMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated or request.path in ('/', '/login', '/upload'):
            return self.get_response(request)
        return HttpResponseRedirect('/login?next=' + request.path)
`,
    },
    settings: 'accounts.settings',
    says: [/^The application answers \/media\/…, .* behind accounts\.middleware\.LoginRequiredMiddleware/],
    uploadStatus: 302,
    also: async (site) => {
      assert.equal((await ask(site.url, '/members')).headers.location, '/login?next=/members');
      assert.equal((await ask(site.url, '/login')).text, 'log in');
    },
  },
  {
    name: 'a site for each name (django-tenants)',
    files: {
      ...startProject('tenants', {
        settings: `${manifestStorage}\nMIDDLEWARE.append('tenants.middleware.TenantMiddleware')`,
      }),
      'tenants/public_urls.py': `from django.http import HttpResponse
from django.urls import path
urlpatterns = [path('', lambda request: HttpResponse('the public site'))]
`,
      'tenants/middleware.py': `class TenantMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.get_host().startswith('shop.'):
            request.urlconf = 'tenants.public_urls'
        return self.get_response(request)
`,
    },
    settings: 'tenants.settings',
    headers: { Host: 'shop.example.org' },
    also: async (site) => {
      const headers = { Host: 'www.example.org' };
      assert.equal((await ask(site.url, '/', { headers })).text, 'the public site');
    },
  },
];
