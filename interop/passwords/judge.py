"""Answers, one JSON line for one, with what Django's own functions say.

{"do": name, "items": [...]} is answered by a list of the same length. An item that
makes Django raise an error is answered {"error": "..."}.

Django 3.2 has no ScryptPasswordHasher. Scrypt below is its format over Python's own
hashlib.scrypt (OpenSSL), so that scrypt is judged by other code than ours as well.
"""
import base64
import hashlib
import json
import sys

import argon2.low_level
from django.conf import settings

HASHERS = "PBKDF2 PBKDF2SHA1 Argon2 BCryptSHA256 BCrypt SHA1 MD5 UnsaltedSHA1 UnsaltedMD5 Crypt".split()
settings.configure(
    SECRET_KEY="judge",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.%sPasswordHasher" % h for h in HASHERS],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    USE_TZ=True,
)
import django  # noqa: E402

django.setup()
from django.contrib.auth import hashers, password_validation, validators  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.utils import http  # noqa: E402


class Scrypt(hashers.BasePasswordHasher):
    algorithm, n, r, p = "scrypt", 16, 8, 5

    def encode(self, password, salt):
        key = hashlib.scrypt(
            password.encode(), salt=salt.encode(), n=self.n, r=self.r, p=self.p, maxmem=1 << 28, dklen=64
        )
        return "scrypt$%d$%s$%d$%d$%s" % (self.n, salt, self.r, self.p, base64.b64encode(key).decode())

    def verify(self, password, encoded):
        _, n, salt, r, p, _ = encoded.split("$")
        self.n, self.r, self.p = int(n), int(r), int(p)
        return encoded == self.encode(password, salt)


def hasher(name, parameters):
    h = Scrypt() if name == "scrypt" else type(hashers.get_hasher(name))()
    for key, value in parameters.items():
        setattr(h, key, value)
    return h


def make(item):
    variety = item["parameters"].pop("variety", None)
    h = hasher(item["algorithm"], item["parameters"])
    if variety is None:
        return hashers.make_password(item["password"], hasher=h)
    made = argon2.low_level.hash_secret(
        item["password"].encode(), h.salt().encode(), h.time_cost, h.memory_cost, h.parallelism, 16,
        getattr(argon2.low_level.Type, variety), version=item["version"],
    )
    return "argon2" + made.decode()


def check(item):
    encoded = item["encoded"]
    name = "scrypt" if encoded.startswith("scrypt$") else hashers.identify_hasher(encoded).algorithm
    return hasher(name, {}).verify(item["password"], encoded)


def must_update(item):
    return hasher(item["algorithm"], item["parameters"]).must_update(item["encoded"])


RULES = password_validation.get_password_validators([
    {"NAME": "django.contrib.auth.password_validation." + name}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator",
                 "CommonPasswordValidator", "NumericPasswordValidator")
])


def strength(item):
    try:
        password_validation.validate_password(item["password"], User(**item["user"]), RULES)
    except ValidationError as e:
        return [{"Code": error.code, "Message": message} for error, message in zip(e.error_list, e.messages)]
    return []


def names(item):
    valid = True
    try:
        validators.UnicodeUsernameValidator()(item)
    except ValidationError:
        valid = False
    return {"Valid": valid, "Username": User.normalize_username(item), "Email": User.objects.normalize_email(item)}


def uid(item):
    return http.urlsafe_base64_decode(item).decode("latin-1")


def common(_):
    return str(password_validation.CommonPasswordValidator.DEFAULT_PASSWORD_LIST_PATH)


DO = {f.__name__: f for f in (make, check, must_update, strength, names, uid, common)}
for line in sys.stdin:
    question = json.loads(line)
    answers = []
    for item in question["items"]:
        try:
            answers.append(DO[question["do"]](item))
        except Exception as e:
            answers.append({"error": "%s: %s" % (type(e).__name__, e)})
    print(json.dumps(answers), flush=True)
