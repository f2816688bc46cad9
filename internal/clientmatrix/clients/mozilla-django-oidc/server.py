"""A Django site with mozilla-django-oidc."""
import os
import ssl
import time
from urllib.parse import urlencode
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import include, path

ISSUER, ORIGIN = os.environ["ISSUER"], os.environ["ORIGIN"]


def end_session_url(request):
    """OIDC_OP_LOGOUT_URL_METHOD: where to go after the sign-out of this site."""
    return ISSUER + "/logout?" + urlencode(
        {"id_token_hint": request.session["oidc_id_token"], "post_logout_redirect_uri": ORIGIN + "/"})


settings.configure(
    SECRET_KEY=os.urandom(16).hex(),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.db"}},
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_OP_JWKS_ENDPOINT=ISSUER + "/.well-known/jwks.json",
    OIDC_OP_AUTHORIZATION_ENDPOINT=ISSUER + "/authorize",
    OIDC_OP_TOKEN_ENDPOINT=ISSUER + "/token",
    OIDC_OP_USER_ENDPOINT=ISSUER + "/userinfo",
    OIDC_OP_LOGOUT_URL_METHOD=__name__ + ".end_session_url",
    OIDC_STORE_ID_TOKEN=True,
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    LOGIN_REDIRECT_URL_FAILURE="/denied",
)
django.setup()


def home(request):
    return HttpResponse(request.user.email if request.user.is_authenticated else "home")


def account(request):
    return HttpResponse(
        '<form method="post" action="/oidc/logout/">'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}"><button>Sign out</button></form>')


def denied(request):
    return HttpResponse("signed in" if request.user.is_authenticated else "not signed in", status=403)


def expire(request):
    """Makes the session due for SessionRefresh, which checks the user with prompt=none."""
    request.session["oidc_id_token_expiration"] = 0
    return redirect("/refreshed")


def refreshed(request):
    is_new = request.session["oidc_id_token_expiration"] > time.time()
    return HttpResponse("refreshed" if is_new else "not renewed")


urlpatterns = [
    path("", home), path("account", account), path("denied", denied),
    path("refresh", expire), path("refreshed", refreshed),
    path("oidc/", include("mozilla_django_oidc.urls")),
]

call_command("migrate", verbosity=0)
server = make_server("127.0.0.1", int(os.environ["PORT"]), get_wsgi_application())
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.base_environ["HTTPS"] = "on"
server.serve_forever()
