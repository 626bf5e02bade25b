#!/usr/bin/env python3
"""Records what a Django stack makes of the values in earlier recordings: passwords, signed values, tokens, tables.

    data.py FOLDER OUT STACK

asks the Django and the PyJWT that are first in PYTHONPATH about everything in FOLDER's data files, whatever stack they are
of, and writes OUT/hashes_STACK.json, auth_STACK.json, tokens_pyjwt_STACK.json, schema_sqlite_STACK.sql and
rows_STACK.json with their answers.
"""

import glob
import hashlib
import json
import os
import sqlite3
import sys
import tempfile
from unittest import mock

KEY = "SECRET"  # of the signers and of salted_hmac, as in the recordings that there are


def every(folder, pattern, key):
    """The entries of a list in all files, each once."""
    seen, entries = set(), []
    for name in sorted(glob.glob(os.path.join(folder, pattern))):
        with open(name) as file:
            for entry in json.load(file)[key]:
                text = json.dumps(entry.get("encoded") or entry, sort_keys=True)
                if text not in seen:
                    seen.add(text)
                    entries.append(entry)
    return entries


def attempt(name, ask):
    """{name: what ask answers}, or {name_raises: its error}."""
    try:
        return {name: ask()}
    except Exception as error:
        return {name + "_raises": type(error).__name__}


def plain(value):
    """Bytes as text of one character a byte, and what JSON has no form for as its Python text."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def hashes(folder):
    """Every recorded hash that this Django has a hasher for, asked again."""
    from django.contrib.auth import hashers

    about, vectors, broken = {}, [], []
    for name in dir(hashers):
        hasher = getattr(hashers, name)
        if name.endswith("PasswordHasher") and getattr(hasher, "algorithm", None):
            fields = "iterations", "time_cost", "memory_cost", "parallelism", "rounds", "work_factor", "block_size"
            about[name] = {"algorithm": hasher.algorithm}
            about[name].update({f: getattr(hasher, f) for f in fields if hasattr(hasher, f)})
    for vector in every(folder, "hashes_*.json", "vectors"):
        if vector["hasher"] not in about or "error" in vector:
            continue
        hasher, encoded, password = getattr(hashers, vector["hasher"])(), vector["encoded"], vector["password"]
        vectors.append({
            "hasher": vector["hasher"],
            "password": password,
            "encoded": encoded,
            "check": hasher.verify(password, encoded),
            "check_wrong": hasher.verify(password + "x", encoded),
            "must_update": hasher.must_update(encoded),
            "decoded": {k: plain(v) for k, v in hasher.decode(encoded).items()},
        })
    for entry in every(folder, "hashes_*.json", "unusable_and_broken"):
        encoded = entry["encoded"]
        answer = {"encoded": encoded, "is_password_usable": hashers.is_password_usable(encoded)}
        answer.update(attempt("check", lambda: any(hashers.check_password(p, encoded) for p in ("", "password", "x"))))
        answer.update(attempt("identify", lambda: hashers.identify_hasher(encoded).algorithm))
        broken.append(answer)
    return {"hashers": about, "vectors": vectors, "unusable_and_broken": broken}


def auth(folder):
    """The recorded values of django.contrib.auth and django.core.signing, made again."""
    from datetime import datetime, timedelta, timezone

    from django.contrib.auth import password_validation as rules
    from django.contrib.auth.models import User
    from django.contrib.auth.tokens import PasswordResetTokenGenerator
    from django.contrib.auth.validators import ASCIIUsernameValidator, UnicodeUsernameValidator
    from django.core import exceptions, signing
    from django.utils import crypto, http

    def entries(key):
        return every(folder, "auth_*.json", key)

    def reset(entry):
        person = dict(entry["user"])
        if person.get("last_login"):
            person["last_login"] = datetime.fromisoformat(person["last_login"].replace("Z", "+00:00"))
            if person["last_login"].tzinfo is None:
                person["last_login"] = person["last_login"].replace(tzinfo=timezone.utc)
        generator = PasswordResetTokenGenerator()
        generator._now = lambda: datetime(2001, 1, 1) + timedelta(seconds=entry["timestamp_since_2001"])
        return generator.make_token(User(**person))

    def signed(entry):
        with mock.patch.object(signing.time, "time", lambda: entry.get("time", 0)):
            if entry["kind"] == "Signer":
                return signing.Signer(key=KEY).sign(entry["value"])
            if entry["kind"] == "TimestampSigner":
                return signing.TimestampSigner(key=KEY).sign(entry["value"])
            return signing.dumps(entry["value"], key=KEY, compress=entry["kind"] == "dumps compress")

    def problems(password, user):
        try:
            rules.validate_password(password, user)
        except exceptions.ValidationError as error:
            return [
                {"code": e.code, "message": e.messages[0], "params": {k: str(v) for k, v in (e.params or {}).items()}}
                for e in error.error_list
            ]
        return []

    def valid(validator, text):
        try:
            validator()(text)
        except exceptions.ValidationError:
            return False
        return True

    with open(sorted(glob.glob(os.path.join(folder, "auth_*.json")))[0]) as file:
        like = json.load(file)
    user = User(**like["password_validators_user"])
    common = sorted(rules.CommonPasswordValidator().passwords)
    return {
        "SECRET_KEY": like["SECRET_KEY"],
        "uid": [{"pk": e["pk"], "uid": http.urlsafe_base64_encode(str(e["pk"]).encode())} for e in entries("uid")],
        "uid_decode": [
            {"uid": e["uid"], **attempt("bytes", lambda: plain(http.urlsafe_base64_decode(e["uid"])))}
            for e in entries("uid_decode")
        ],
        "base36": [{"n": e["n"], "s": http.int_to_base36(e["n"])} for e in entries("base36")],
        "reset_tokens": [{**e, "token": reset(e)} for e in entries("reset_tokens")],
        "salted_hmac": [
            {**e, "hex": crypto.salted_hmac(e["salt"], e["value"], KEY, algorithm=e["alg"]).hexdigest()}
            for e in entries("salted_hmac")
        ],
        "session_auth_hash": [
            {**e, "hash": User(password=e["password"]).get_session_auth_hash()} for e in entries("session_auth_hash")
        ],
        "signer": [{**e, "signed": signed(e)} for e in entries("signer")],
        "normalize_username": [
            {"in": e["in"], "out": User.normalize_username(e["in"])} for e in entries("normalize_username")
        ],
        "normalize_email": [{"in": e["in"], "out": User.objects.normalize_email(e["in"])} for e in entries("normalize_email")],
        "username_validator": {
            **like["username_validator"],
            "cases": [
                {**e, "unicode": valid(UnicodeUsernameValidator, e["in"]), "ascii": valid(ASCIIUsernameValidator, e["in"])}
                for e in like["username_validator"]["cases"]
            ],
        },
        "password_validators_user": like["password_validators_user"],
        "password_validators": [
            {"password": e["password"], "errors": problems(e["password"], user)} for e in entries("password_validators")
        ],
        "password_help_texts": rules.password_validators_help_texts(),
        "common_passwords": {
            "count": len(common),
            "sha256_of_sorted_lines": hashlib.sha256("\n".join(common).encode()).hexdigest(),
        },
    }


def tokens(folder):
    """The recorded tokens, written and judged again."""
    import jwt

    def key(name):
        if not name.startswith("keys/"):
            return None if name == "(none)" else name
        with open(os.path.join(folder, name)) as file:
            return file.read()

    vectors, decode = [], []
    for vector in every(folder, "tokens_pyjwt_*.json", "vectors"):
        vector = {k: v for k, v in vector.items() if k not in ("token", "error", "message")}
        try:
            payload = vector.get("payload", [] if vector["name"] == "list_payload" else {})
            token = jwt.encode(payload, key(vector["key"]), vector["alg"], headers=vector.get("headers"))
            vectors.append({**vector, "token": token})
        except Exception as error:
            vectors.append({**vector, "error": type(error).__name__, "message": str(error)})
    for entry in every(folder, "tokens_pyjwt_*.json", "decode"):
        entry = {k: v for k, v in entry.items() if k not in ("payload", "error", "message")}
        try:
            payload = jwt.decode(entry["token"], key(entry["key"]), algorithms=entry["algorithms"], **entry["options"])
            decode.append({**entry, "payload": payload})
        except Exception as error:
            decode.append({**entry, "error": type(error).__name__, "message": str(error)})
    return {"pyjwt": jwt.__version__, "vectors": vectors, "decode": decode}


def tables(database):
    """What migrate made."""
    with sqlite3.connect(database) as db:
        def rows(columns, table, order="id"):
            return [list(row) for row in db.execute("SELECT %s FROM %s ORDER BY %s" % (columns, table, order))]

        made = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, name"
        schema = [sql + ";" for (sql,) in db.execute(made)]
        return schema, {
            "django_content_type": {"rows": rows("id, app_label, model", "django_content_type")},
            "auth_permission": {"rows": rows("id, content_type_id, codename, name", "auth_permission")},
            "django_migrations": rows("app, name", "django_migrations"),
        }


def write(out, name, content):
    with open(os.path.join(out, name), "w") as file:
        if isinstance(content, str):
            file.write(content)
        else:
            json.dump(content, file, indent=1)
            file.write("\n")


def main(folder, out, stack):
    with open(sorted(glob.glob(os.path.join(folder, "auth_*.json")))[0]) as file:
        secret = json.load(file)["SECRET_KEY"]
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["RECORD_DATABASE"] = os.path.join(temporary, "django.db")
        os.environ["RECORD_GROUP"] = json.dumps({"SECRET_KEY": secret, "over_base": {}})
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        import django
        from django.core.management import call_command
        from django.test.utils import override_settings

        django.setup()
        call_command("migrate", verbosity=0)
        schema, rows = tables(os.environ["RECORD_DATABASE"])
        from django.contrib.auth import hashers

        every_hasher = [
            "django.contrib.auth.hashers." + name for name in dir(hashers)
            if name.endswith("PasswordHasher") and getattr(getattr(hashers, name), "algorithm", None)
        ]
        with override_settings(PASSWORD_HASHERS=every_hasher):
            write(out, "hashes_%s.json" % stack, {"stack": stack, "django": django.__version__, **hashes(folder)})
        write(out, "auth_%s.json" % stack, {"django": django.__version__, **auth(folder)})
        write(out, "tokens_pyjwt_%s.json" % stack, tokens(folder))
        write(out, "schema_sqlite_%s.sql" % stack, "\n".join(schema) + "\n")
        write(out, "rows_%s.json" % stack, rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
