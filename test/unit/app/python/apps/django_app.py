"""A Django project in one file: answers and uploads of the kinds that Django knows."""

import hashlib
import pathlib
import tempfile

import django
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

import journal

folder = pathlib.Path(tempfile.mkdtemp())
CONTENT = b"".join(b"%07d\n" % number for number in range(20000))
(folder / "content.bin").write_bytes(CONTENT)

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
    DEBUG=False,
    MIDDLEWARE=[
        "django.middleware.common.CommonMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
    ],
    FILE_UPLOAD_MAX_MEMORY_SIZE=1000,
)
django.setup()
request_finished.connect(lambda **_: journal.note("finished"), weak=False)


def hello(request):
    return HttpResponse("hello, w\u00f6rld")


def cookies(request):
    response = HttpResponse("cookies")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


def stream(request):
    return StreamingHttpResponse(b"piece %d\n" % number for number in range(3))


def breaking_stream(request):
    def pieces():
        yield b"first"
        raise ValueError("in a stream")

    return StreamingHttpResponse(pieces())


def file(request):
    return FileResponse(open(str(folder / "content.bin"), "rb"), as_attachment=True)


def stored_file(request):
    # As a FileField gives it: its name is relative to the storage.
    return FileResponse(FileSystemStorage(str(folder)).open("content.bin"))


def wrapped_file(request):
    return FileResponse(File(open(str(folder / "content.bin"), "rb")))


def temporary_file(request):
    source = tempfile.NamedTemporaryFile()
    source.write(CONTENT)
    source.seek(0)
    return FileResponse(source)


def not_modified(request):
    return HttpResponseNotModified()


@csrf_exempt
def upload(request):
    uploaded = request.FILES["file"]
    digest = hashlib.sha256()
    for chunk in uploaded.chunks():
        digest.update(chunk)
    facts = (request.POST["name"], uploaded.name, uploaded.size, digest.hexdigest())
    return HttpResponse("%s %s %d %s" % facts)


@csrf_exempt
def body(request):
    return HttpResponse(hashlib.sha256(request.body).hexdigest())


def breaks(request):
    raise ValueError("in a view")


def url(request, name):
    return HttpResponse("%s %s" % (request.build_absolute_uri(), name))


urlpatterns = [
    path(view.__name__, view)
    for view in (
        hello, cookies, stream, breaking_stream, file, stored_file, wrapped_file, temporary_file,
        not_modified, upload, body, breaks,
    )
]
urlpatterns.append(path("url/<str:name>", url))

journal_application = journal.dispatch({})
django_application = get_wsgi_application()


def application(environ, start_response):
    is_journal = environ["PATH_INFO"].startswith("/journal")
    return (journal_application if is_journal else django_application)(environ, start_response)
