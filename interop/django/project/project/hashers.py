"""Password hashers of the tests."""

import hashlib

from django.contrib.auth.hashers import BasePasswordHasher, PBKDF2PasswordHasher
from django.utils.crypto import constant_time_compare


class CheapPBKDF2(PBKDF2PasswordHasher):
    """For tests that log in hundreds of times: Django's default algorithm, as jotgate's --hasher=pbkdf2_sha256:1000."""

    iterations = 1000


class Sha512ApiKeyHasher(BasePasswordHasher):
    """What djangorestframework-api-key 3 stores its keys with; Debian has version 2."""

    algorithm = "sha512"

    def salt(self):
        return ""

    def encode(self, password, salt):
        return f"{self.algorithm}$${hashlib.sha512(password.encode()).hexdigest()}"

    def verify(self, password, encoded):
        return constant_time_compare(encoded, self.encode(password, ""))

    def must_update(self, encoded):
        return False
