"""Does things inside Django for the tests: one JSON line in, one JSON line out, as long as the input lasts.

    {"do": "version"}  →  {"value": "65.0.2"} or {"error": "ValueError: …"}

What can be done are the functions below, under their names.
"""

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
from django.db import close_old_connections  # noqa: E402
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
