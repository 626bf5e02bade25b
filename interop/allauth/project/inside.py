"""Does things inside Django for the tests: one JSON line in, one JSON line out, as long as the input lasts.

    {"do": "version"}  →  {"value": "65.0.2"} or {"error": "ValueError: …"}

What can be done are the functions below, under their names.
"""

import contextlib
import io
import json
import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()

import allauth  # noqa: E402
from allauth.mfa.models import Authenticator  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import close_old_connections, connection  # noqa: E402
from django.test import Client  # noqa: E402

browsers = {}


def version():
    return allauth.__version__


def manage(args):
    """manage.py with args; its output."""
    out = io.StringIO()
    try:
        call_command(*args, stdout=out, stderr=out)
    except SystemExit as end:
        return out.getvalue() + "exit status %s" % end.code
    return out.getvalue()


def create_user(username, password):
    return str(get_user_model().objects.create_user(username, username + "@example.com", password).pk)


def request(browser, method, path, body=None):
    """A request of a browser, which keeps its cookies."""
    client = browsers.setdefault(browser, Client(HTTP_HOST="localhost"))
    content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    response = client.generic(method, path, **content)
    return {"status": response.status_code, "body": response.json() if response.content else None}


def browse(browser, path, form):
    """A request of a browser to the pages: a form is posted. The result is a Page of allauth.go."""
    client = browsers.setdefault(browser, Client(HTTP_HOST="localhost"))
    response = client.get(path) if form is None else client.post(path, form)
    user = get_user_model().objects.filter(pk=client.session.get("_auth_user_id")).first()
    return {
        "Status": response.status_code,
        "Location": response.get("Location", ""),
        "HTML": response.content.decode(),
        "User": user.username if user else "",
    }


def address(username, verified):
    """The user's address in allauth's list."""
    from allauth.account.models import EmailAddress

    user = get_user_model().objects.get(username=username)
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)


def id(username):
    return str(get_user_model().objects.get(username=username).pk)


def sql(text):
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()


def reset_token(username):
    """What allauth puts into the link of a password reset."""
    from allauth.account.forms import default_token_generator

    return default_token_generator.make_token(get_user_model().objects.get(username=username))


def shell(code):
    """manage.py shell -c; its output."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    return out.getvalue()


def social():
    """All accounts at providers, as allauth describes them, and how many tokens it keeps of each."""
    from allauth.socialaccount.models import SocialAccount

    return [
        {
            "ID": str(a.pk),
            "User": a.user.username,
            "Provider": a.provider,
            "UID": a.uid,
            "Words": str(a.get_provider_account()),
            "Tokens": a.socialtoken_set.count(),
        }
        for a in SocialAccount.objects.order_by("pk")
    ]


def verified(username):
    """The addresses that a user has proved."""
    from allauth.account.models import EmailAddress

    return [a.email for a in EmailAddress.objects.filter(user__username=username, verified=True)]


def uid(provider, data):
    """What allauth takes from a provider's description of a user as its id there."""
    from importlib import import_module

    from allauth.socialaccount.models import SocialApp

    module = import_module("allauth.socialaccount.providers.%s.provider" % provider)
    return str(module.provider_classes[0](None, app=SocialApp(provider=provider)).extract_uid(data))


def rows(user):
    """The user's rows of mfa_authenticator."""
    return [{"type": a.type, "data": a.data} for a in Authenticator.objects.filter(user_id=user).order_by("id")]


def age(user, seconds):
    """Makes the last use of the user's codes look older."""
    for a in Authenticator.objects.filter(user_id=user, type="totp"):
        own = a.data.get("jotgate", {})
        if own:
            own["step"] -= seconds // 30
            own["used"] -= seconds * 1_000_000
        a.last_used_at = None
        a.save()


def remove(user):
    """Removes the user's factors."""
    Authenticator.objects.filter(user_id=user).delete()


def main():
    for line in sys.stdin:
        question = json.loads(line)
        action = globals()[question.pop("do")]
        close_old_connections()
        try:
            answer = {"value": action(**question)}
        except Exception as error:  # the test decides what an exception means
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        print(json.dumps(answer), flush=True)


main()
