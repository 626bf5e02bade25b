#!/usr/bin/env python3
"""Records what a Django stack answers to the cases of golden recordings. README.md explains how to use it.

    record.py GROUP.json OUT.json STACK FIXTURES.json [LIKE.json]

takes the settings and the steps of a group file, does them to the Django that is first in PYTHONPATH, and writes the
same file with that Django's answers. With LIKE, another group file, cases that answer as there are left out; if none is
left, nothing is written.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta
from importlib import metadata
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

HERE = os.path.dirname(os.path.abspath(__file__))
LEFT_OUT = {"date", "server", "connection", "content-length"}
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
HEX40 = re.compile(r'"[0-9a-f]{40}"')
LINK = re.compile(r"http://app\.example\.com/[\w/]+/([\w-]+)/([\w-]+)")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def with_times(text, now):
    """Fills in {{now+300}}: a number if it is all of a JSON string."""
    return re.sub(r'"\{\{now([+-]\d+)\}\}"', lambda m: str(now + int(m[1])), text)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def signature(alg, key, data):
    if alg == "none":
        return b""
    name = "sha" + alg[2:]
    if alg.startswith("HS"):
        return hmac.new(key.encode(), data, name).digest()
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    digest = getattr(hashes, name.upper())()
    scheme = padding.PKCS1v15()
    if alg.startswith("PS"):
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
    return serialization.load_pem_private_key(key.encode(), None).sign(data, scheme, digest)


def mint(step, secret, now):
    """Signs the token of a step and damages it as the step says."""
    claims = step["claims"] if isinstance(step["claims"], str) else compact(step["claims"])
    header, claims = compact(step["header"]), with_times(claims, now)
    data = b64(header.encode()) + "." + b64(claims.encode())
    key = secret if step["key"] == "SECRET_KEY" else step["key"]
    mark = b64(signature(step["alg"], key, data.encode()))
    token = data + "." + mark
    how = step.get("tamper")
    if how == "signature":
        return token[:-4] + ("BBBB" if token.endswith("AAAA") else "AAAA")
    if how == "payload":
        return b64(header.encode()) + "." + b64(claims.replace('"user_id":1', '"user_id":4').encode()) + "." + mark
    if how == "truncate":
        return data
    if how == "padded":
        return token + "="
    if how == "noncanonical":
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
    return token


def told(token, now):
    """Header and claims of a token, with placeholders for what differs each time."""
    header, claims = (json.loads(unb64(part)) for part in token.split(".")[:2])
    for name in ("exp", "iat", "nbf", "refresh_exp"):
        value = claims.get(name)
        if type(value) is int and abs(value - now) < 10**7:
            claims[name] = "{{now%+d}}" % (value - now)
    if re.fullmatch("[0-9a-f]{32}", str(claims.get("jti"))) and claims["jti"] != "0123456789abcdef0123456789abcdef":
        claims["jti"] = "{{hex32}}"
    return {"header": header, "claims": claims}


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Recorder:
    """One project on one database, and the variables of the case at work. Every token of a case is issued in the second
    in which the case began, so that the answers do not depend on how long it takes."""

    def __init__(self, group, database):
        self.secret = group["settings"]["SECRET_KEY"]
        self.database, self.variables, self.mails, self.now = database, {}, 0, 0
        from django.core.wsgi import get_wsgi_application
        from rest_framework_simplejwt import tokens, utils

        tokens.aware_utcnow = lambda: utils.datetime_from_epoch(self.now)
        self.server = WSGIServer(("127.0.0.1", 0), Quiet)
        self.server.set_app(get_wsgi_application())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def case(self, case, template):
        from django.core import mail
        from django.core.cache import cache
        from django.db import connection

        connection.close()
        shutil.copyfile(template, self.database)
        cache.clear()
        mail.outbox, self.variables, self.mails, self.now = [], {}, 0, int(time.time())
        steps = [self.step(i, step) for i, step in enumerate(case["steps"])]
        return {**case, "steps": [s for s in steps if s]}

    def step(self, number, step):
        op = step["op"]
        if op == "mint":
            self.variables[step["save"]] = mint(step, self.secret, self.now)
            return step
        if op == "http":
            return self.http(number, step)
        return getattr(self, op)(step) or step

    def fill(self, text):
        for name, value in self.variables.items():
            text = text.replace("{{%s}}" % name, value)
        return text

    # What is asked.

    def http(self, number, step):
        status, reason, headers, body = self.send(step["request"])
        answer = {"status": status, "reason": reason, "headers": headers}
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        names = {saved: name for name, saved in self.variables.items()}
        if isinstance(value, dict):
            for name, key in (step.get("save") or {}).items():
                if isinstance(value.get(key), str):
                    self.variables[name] = value[key]
                    names[value[key]] = name
        tokens = {}

        def named(match):
            token = match[0]
            name = names.get(token) or "jwt%d_%d" % (number, len(tokens) + 1)
            tokens[name] = told(token, self.now)
            return "{{%s}}" % name

        for saved, name in names.items():
            if not JWT.fullmatch(saved):
                body = body.replace('"%s"' % saved, '"{{%s}}"' % name)
        body = HEX40.sub('"{{hex40}}"', JWT.sub(named, body))
        if headers.get("Content-Type", "").startswith("text/html"):
            body = body[:300]
        answer["body"] = body
        if value is not None:
            answer["json"] = json.loads(body)
        if tokens:
            answer["tokens"] = tokens
        return {**step, "response": answer}

    def send(self, request):
        """Sends a request byte for byte: no client may add or correct anything."""
        lines = ["%s %s HTTP/1.1" % (request["method"], self.fill(request["path"])), "Connection: close"]
        lines += ["%s: %s" % (name, self.fill(value)) for name, value in request["headers"].items()]
        body = b""
        if request["body"] is not None:
            body = self.fill(request["body"]).encode()
            lines.append("Content-Length: %d" % len(body))
        with socket.create_connection(self.server.server_address) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, text = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in rest:
            name, _, value = line.partition(": ")
            if name.lower() not in LEFT_OUT:
                headers[name] = headers[name] + ", " + value if name in headers else value
        _, status, reason = first.split(" ", 2)
        if request["method"] == "HEAD":
            text = b""  # which the server should not have sent
        return int(status), reason, headers, text.decode()

    # What changes the database behind the server's back.

    def user(self, step):
        from django.contrib.auth.models import User

        return User.objects.get(username=step["username"])

    def change(self, step, **values):
        from django.contrib.auth.models import User

        User.objects.filter(username=step["username"]).update(**values)

    def set_active(self, step):
        self.change(step, is_active=step["value"])

    def set_username(self, step):
        self.change(step, username=step["value"])

    def set_hash(self, step):
        self.change(step, password=step["value"])

    def set_password(self, step):
        user = self.user(step)
        user.set_password(step["value"])
        user.save()

    def set_unusable(self, step):
        user = self.user(step)
        user.set_unusable_password()
        user.save()

    def delete_user(self, step):
        self.user(step).delete()

    def add_group(self, step):
        from django.contrib.auth.models import Group

        self.user(step).groups.add(Group.objects.create(name=step["value"]))

    def drf_token(self, step):
        from rest_framework.authtoken.models import Token

        self.variables[step["save"]] = Token.objects.create(user=self.user(step)).key

    def reset_token(self, step):
        from django.contrib.auth.tokens import PasswordResetTokenGenerator

        generator = PasswordResetTokenGenerator()
        generator._now = lambda: datetime.now() - timedelta(seconds=step.get("age", 0))
        self.variables[step["save"]] = generator.make_token(self.user(step))
        self.variables[step["save_uid"]] = step["uid_value"]

    # What the database and the outbox hold.

    def show_user(self, step):
        user = self.user(step)
        return {**step, "result": {
            "password_prefix": "$".join(user.password.split("$")[:2]),
            "is_active": user.is_active,
            "last_login": user.last_login and "{{now}}",
            "email": user.email,
        }}

    def select(self, text):
        with sqlite3.connect(self.database) as db:
            return db.execute(text).fetchall()

    def row_counts(self, step):
        return {**step, "result": {table: self.select("SELECT count(*) FROM " + table)[0][0] for table in step["result"]}}

    def rows(self, step):
        found = self.select("SELECT %s FROM %s ORDER BY id" % (", ".join(step["columns"]), step["table"]))
        text = compact([[str(value) for value in row] for row in found])
        for name, value in self.variables.items():
            text = text.replace(value, "{{%s}}" % name)
        return {**step, "result": json.loads(text)}

    def outbox(self, step):
        from django.core import mail

        new, self.mails = mail.outbox[self.mails:], len(mail.outbox)
        mails = []
        for message in new:
            body, link = message.body, LINK.search(message.body)
            if link and step.get("save"):
                self.variables[step["save"]["uid"]], self.variables[step["save"]["token"]] = link.groups()
                body = body.replace(link[2], "{{%s}}" % step["save"]["token"])
            mails.append({"subject": message.subject, "from": message.from_email, "to": message.to, "body": body})
        return {**step, "mails": mails}


def make_template(fixtures, database):
    """The database that every case begins with: migrated, with the users of fixtures."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.utils.dateparse import parse_datetime

    call_command("migrate", verbosity=0)
    for person in fixtures["users"]:
        password = person.pop("password")
        user = User(date_joined=parse_datetime("2024-01-02T03:04:05Z"), **person)
        user.set_password(password)
        user.save()
    connection.close()
    return database


def stack(name):
    def version(*names):
        for package in names:
            try:
                return metadata.version(package)
            except metadata.PackageNotFoundError:
                pass
        return "?"

    return {
        "name": name,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "django": version("Django"),
        "djangorestframework": version("djangorestframework"),
        "simplejwt": version("djangorestframework-simplejwt", "djangorestframework_simplejwt"),
        "djoser": version("djoser"),
        "pyjwt": version("PyJWT"),
    }


def relative_nbf(group):
    """Makes the absolute nbf of older recordings relative, by the names of their cases."""
    for case in group["cases"]:
        ahead = re.search(r"nbf_(\d+)s_ahead", case["name"])
        for step in case["steps"]:
            claims = step.get("claims")
            if isinstance(claims, dict) and type(claims.get("nbf")) is int:
                claims["nbf"] = "{{now+%s}}" % (ahead[1] if ahead else "60")


def answers(case):
    """What a case shows of the stack: times to the half minute, and without numbers of iterations and the text of pages
    and e-mails."""
    text = re.sub(r"in \d+ seconds", "in N seconds", json.dumps(case))
    text = re.sub(r"\{\{now([+-]\d+)\}\}", lambda m: "{{now%+d}}" % (30 * round(int(m[1]) / 30)), text)
    case = json.loads(text)
    for step in case["steps"]:
        step.pop("claims", None)
        if step["op"] == "show_user":
            step["result"].pop("password_prefix")
        for mail in step.get("mails", ()):
            mail.pop("alternatives", None)
            mail.pop("body", None)
        headers = step.get("response", {}).get("headers", {})
        headers.pop("Retry-After", None)
        if headers.get("Content-Type", "").startswith("text/html"):
            step["response"]["body"] = ""
    return case


def main(source, target, name, fixtures, like=None):
    with open(source) as file:
        group = json.load(file)
    relative_nbf(group)
    with open(fixtures) as file:
        fixtures = json.load(file)
    with tempfile.TemporaryDirectory() as folder:
        template, database = os.path.join(folder, "template.db"), os.path.join(folder, "work.db")
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        os.environ["RECORD_DATABASE"] = template
        if os.fork() == 0:  # migrate with every app, even if the group leaves one out
            make_template(fixtures, template)
            os._exit(0)
        os.wait()
        os.environ["RECORD_GROUP"] = json.dumps(group["settings"])
        os.environ["RECORD_DATABASE"] = database
        import django

        django.setup()
        recorder = Recorder(group, database)
        cases = [recorder.case(case, template) for case in group["cases"]]
    if like and os.path.exists(like):
        with open(like) as file:
            known = {case["name"]: answers(case) for case in json.load(file)["cases"]}
        cases = [case for case in cases if answers(case) != known.get(case["name"])]
        if not cases:
            return
    group = {**group, "stack": stack(name), "cases": cases}
    with open(target, "w") as file:
        json.dump(group, file, indent=1, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
