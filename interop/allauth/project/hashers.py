"""A password hasher for tests that log in hundreds of times."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class CheapPBKDF2(PBKDF2PasswordHasher):
    """Django's default algorithm, as jotgate's --hasher=pbkdf2_sha256:1000."""

    iterations = 1000
