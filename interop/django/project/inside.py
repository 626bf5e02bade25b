"""Does things inside Django for the tests: one JSON line in, one JSON line out, as long as the input lasts.

    {"do": "check_password", "password": "…", "encoded": "…"}  →  {"value": true} or {"error": "ValueError: …"}

What can be done are the functions below, under their names.
"""

import io
import json
import os
import re
import sys
import time

import django
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from django.contrib.auth import get_user_model, hashers, tokens  # noqa: E402
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.core import signing  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils.dateparse import parse_datetime  # noqa: E402
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode  # noqa: E402

User = get_user_model()


def manage(args):
    """manage.py with args; its output."""
    out = io.StringIO()
    call_command(*args, stdout=out, stderr=out)
    return out.getvalue()


def version():
    return django.get_version()


def find(username):
    return User.objects.get_by_natural_key(username)


def create_user(username, password, superuser=False, groups=(), **fields):
    """The new user's id. username is whatever the project's users log in with."""
    fields[User.USERNAME_FIELD] = username
    make = User.objects.create_superuser if superuser else User.objects.create_user
    user = make(password=password, **fields)
    for name in groups:
        user.groups.add(Group.objects.get_or_create(name=name)[0])
    return str(user.pk)


def change_user(username, **fields):
    """Sets columns, is_active for example."""
    user = find(username)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()


def delete_user(username):
    find(username).delete()


def show_user(username):
    """What Django knows of a user, as jotgate names it."""
    user = find(username)
    return {
        "id": str(user.pk),
        "username": user.get_username(),
        "email": user.email,
        "password": user.password,
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "permissions": sorted(user.get_all_permissions()),
    }


def grant(group, permissions):
    """Gives a group permissions, named app_label.codename."""
    group = Group.objects.get_or_create(name=group)[0]
    for name in permissions:
        app, codename = name.split(".")
        group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))


def set_password(username, password):
    user = find(username)
    user.set_password(password)
    user.save()


def user_has_password(username, password):
    return find(username).check_password(password)


def make_password(password, hasher="default"):
    return hashers.make_password(password, hasher=hasher)


def check_password(password, encoded):
    return hashers.check_password(password, encoded)


def make_reset_token(username):
    """uid and token, as a reset link carries them."""
    user = find(username)
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return {"uid": uid, "token": tokens.default_token_generator.make_token(user)}


def check_reset_token(uid, token):
    user = User.objects.get(pk=urlsafe_base64_decode(uid).decode())
    return tokens.default_token_generator.check_token(user, token)


def unsaved(id, password, email, last_login):
    """A user that is in no database: reset tokens depend on nothing else. last_login: ISO 8601 or None."""
    return User(pk=id, password=password, email=email, last_login=last_login and parse_datetime(last_login))


def make_reset_tokens(users):
    return [tokens.default_token_generator.make_token(unsaved(**user)) for user in users]


def check_reset_tokens(users, made):
    check = tokens.default_token_generator.check_token
    return [check(unsaved(**user), token) for user, token in zip(users, made)]


def encode_uids(ids):
    return [urlsafe_base64_encode(id.encode()) for id in ids]


def sign(salt, values):
    """Each value signed in Django's three ways."""
    plain, timed = signing.Signer(salt=salt), signing.TimestampSigner(salt=salt)
    return [[plain.sign(v), timed.sign(v), signing.dumps({"value": v}, salt=salt, compress=True)] for v in values]


def unsign(salt, signed):
    """What sign made, in the same three ways. A wrong signature is an error."""
    plain, timed = signing.Signer(salt=salt), signing.TimestampSigner(salt=salt)
    return [[plain.unsign(p), timed.unsign(t), signing.loads(d, salt=salt)["value"]] for p, t, d in signed]


def make_api_key(name, version=2, revoked=False, expiry_date=None):
    """A key of djangorestframework-api-key as that version stores it."""
    from project.hashers import Sha512ApiKeyHasher
    from rest_framework_api_key.models import APIKey

    made, key = APIKey.objects.create_key(name=name, revoked=revoked, expiry_date=expiry_date and parse_datetime(expiry_date))
    if version == 3:
        hashed = Sha512ApiKeyHasher().encode(key, "")
        if connection.vendor == "postgresql":  # as the migrations of version 3
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE rest_framework_api_key_apikey ALTER id TYPE varchar(150), ALTER hashed_key TYPE varchar(150)")
        APIKey.objects.filter(pk=made.pk).update(id=f"{made.prefix}.{hashed}", hashed_key=hashed)
    return key


def tables():
    return sorted(connection.introspection.table_names())


def rows(sql):
    """What a query answers, every value as text."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [[None if v is None else str(v) for v in row] for row in cursor.fetchall()]


def admin_page(path, username):
    """What the admin shows a user who is logged in there: status and HTML."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(find(username))
    response = client.get(path)
    return {"status": response.status_code, "html": response.content.decode()}


def fill_users(first, last):
    """Creates the users user FIRST to LAST in one statement, each thousandth as staff."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) "
            "WITH RECURSIVE c (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM c WHERE n < %d) "
            "SELECT '!', false, 'user' || n, 'First', 'Last', 'User' || n || '@Example.com', n %% 1000 = 0, true, '2026-11-23 12:00:00' FROM c" % (first, last)
        )
        cursor.execute("ANALYZE auth_user")


def admin_times(path, username, rounds):
    """Opens a page of the admin several times: the times in milliseconds, and the rows of its list."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(find(username))
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        response = client.get(path)
        times.append((time.perf_counter() - begun) * 1000)
    return {"times": times, "rows": response.content.decode().count('name="_selected_action"')}


def admin_change(path, username, changes):
    """Sends the admin's form of a user with some fields changed, as a user who is logged in there: the status."""
    from django.contrib import admin
    from django.test import RequestFactory

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(find(username))
    request, user = RequestFactory().get(path), get_user_model().objects.get(pk=path.split("/")[-3])
    request.user = find(username)
    form = admin.site._registry[get_user_model()].get_form(request, user)(instance=user)
    html = client.get(path).content.decode()
    data = {}
    for name in form.fields:
        value = form[name].value()
        if hasattr(value, "strftime"):
            for part in (name + "_0", name + "_1"):
                data[part] = re.search(r'name="%s" value="([^"]*)"' % part, html).group(1)
        elif isinstance(value, (list, tuple)) or hasattr(value, "all"):
            data[name] = [getattr(v, "pk", v) for v in value]
        elif value not in (None, False):
            data[name] = value
    return client.post(path, {**data, **changes}).status_code


def admin_rights(name, actor, password):
    """Creates an actor with these permissions. What the admin lets it do with a user and a group, by its responses."""
    user = User.objects.create_user(username=name, email=name + "@example.com", is_staff=actor["staff"], is_superuser=actor["superuser"])
    user.password = hashers.PBKDF2PasswordHasher().encode(password, "salt", 1000)
    user.is_active = actor["active"]
    user.save()
    for permission in actor["permissions"] or []:
        label, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    decided = {}
    for target in (User.objects.create_user(username="target of " + name), Group.objects.create(name="target of " + name)):
        model = target._meta.model_name
        path = "/admin/auth/%s/" % model
        row = "%s%s/" % (path, target.pk)
        may = {
            "view": client.get(row + "change/").status_code == 200,
            "change": client.post(row + "change/", {}).status_code == 200,  # the form, with errors
            "add": client.get(path + "add/").status_code == 200,
        }
        client.post(row + "delete/", {"post": "yes"})
        may["delete"] = not type(target).objects.filter(pk=target.pk).exists()
        decided[model] = may
    return decided


def admin_log():
    """The history that the admin keeps, oldest first."""
    from django.contrib.admin.models import LogEntry

    return [
        {"flag": e.action_flag, "object": e.object_id, "repr": e.object_repr, "message": e.change_message,
         "text": e.get_change_message(), "user": e.user.get_username(), "model": e.content_type.model}
        for e in LogEntry.objects.order_by("id")
    ]


ACTIONS = {
    action.__name__: action
    for action in (
        manage, version, create_user, change_user, delete_user, show_user, grant, set_password, user_has_password,
        make_password, check_password, make_reset_token, check_reset_token, make_reset_tokens, check_reset_tokens,
        encode_uids, sign, unsign, make_api_key, tables, rows, admin_page, admin_change, admin_log, fill_users,
        admin_times, admin_rights,
    )
}

answers, sys.stdout = sys.stdout, sys.stderr  # what Django prints is not an answer
for line in sys.stdin:
    question = json.loads(line)
    action = ACTIONS[question.pop("do")]
    try:
        answer = {"value": action(**question)}
    except (Exception, SystemExit) as error:  # the test decides what a failure means
        answer = {"error": f"{type(error).__name__}: {error}"}
    close_old_connections()
    print(json.dumps(answer), file=answers, flush=True)
