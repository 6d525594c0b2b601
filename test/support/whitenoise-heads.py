"""Prints what WhiteNoise answers in a project: {address: [status, headers]}.

    whitenoise-heads.py ADDRESS...

In the project's folder, with DJANGO_SETTINGS_MODULE.
"""

import json
import os
import sys

sys.path.insert(0, os.getcwd())

import django  # noqa: E402

django.setup()

from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from whitenoise.middleware import WhiteNoiseMiddleware  # noqa: E402

middleware = WhiteNoiseMiddleware(lambda request: HttpResponse(status=299))
heads = {}
for address in sys.argv[1:]:
    answer = middleware(RequestFactory().get(address))
    heads[address] = [answer.status_code, list(answer.items())]
    answer.close()
print(json.dumps(heads))
