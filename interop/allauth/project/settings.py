"""A Django with django-allauth's second factors, its accounts at providers and its headless API. JUDGE has, as JSON, what a test sets."""

import json
import os
from urllib.parse import unquote, urlsplit

JUDGE = json.loads(os.environ["JUDGE"])


def database(address):
    """sqlite:PATH or postgres://user:password@host:port/name, as jotgate takes them."""
    if address.startswith("sqlite:"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": address[len("sqlite:"):], "OPTIONS": {"timeout": 180}}
    parts = urlsplit(address)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username),
        "PASSWORD": unquote(parts.password),
        "HOST": parts.hostname,
        "PORT": str(parts.port),
    }


SECRET_KEY = JUDGE["secret_key"]
DATABASES = {"default": database(JUDGE["database"])}
USE_TZ = True
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
PASSWORD_HASHERS = ["hashers.CheapPBKDF2"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 86400
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
if JUDGE["adapter"]:
    MFA_ADAPTER = "jotgate_mfa.JotgateMFAAdapter"
if JUDGE["issuer"]:
    INSTALLED_APPS += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
    SOCIALACCOUNT_STORE_TOKENS = True
    SOCIALACCOUNT_REQUESTS_TIMEOUT = 180
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "certified",
                    "name": "Certified",
                    "client_id": JUDGE["client_id"],
                    "secret": JUDGE["client_secret"],
                    "settings": {"server_url": JUDGE["issuer"], "token_auth_method": "client_secret_post"},
                }
            ],
        }
    }
