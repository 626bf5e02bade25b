"""A Django project as people have it: admin, djoser, SimpleJWT, Django's own defaults.

DJANGO_OPTIONS holds, as JSON, what a test wants otherwise. Its members are described where the tests write them, in
../django.go.
"""

import json
import os
from datetime import timedelta
from urllib.parse import unquote, urlsplit

OPTIONS = json.loads(os.environ["DJANGO_OPTIONS"])


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


def with_durations(settings):
    """JSON has no durations: lifetimes come as seconds."""
    return {k: timedelta(seconds=v) if k.endswith("_LIFETIME") else v for k, v in settings.items()}


SECRET_KEY = OPTIONS["secret_key"]
DATABASES = {"default": database(OPTIONS["database"])}
TIME_ZONE = OPTIONS["time_zone"]
USE_TZ = True
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = OPTIONS["mail_folder"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "djoser",
]
if OPTIONS["blacklist"]:
    INSTALLED_APPS.append("rest_framework_simplejwt.token_blacklist")
if OPTIONS["email_user"]:
    INSTALLED_APPS.append("accounts")
    AUTH_USER_MODEL = "accounts.User"
if OPTIONS["shop_user"]:
    INSTALLED_APPS.append("shop")
    AUTH_USER_MODEL = "shop.User"
if OPTIONS["programs"]:
    INSTALLED_APPS += ["rest_framework.authtoken", "rest_framework_api_key"]
if OPTIONS["hashers"]:
    PASSWORD_HASHERS = OPTIONS["hashers"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation." + name}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SIMPLE_JWT = with_durations(OPTIONS["simple_jwt"])
DJOSER = {
    "PASSWORD_RESET_CONFIRM_URL": "reset/{uid}/{token}",
    "ACTIVATION_URL": "activate/{uid}/{token}",
    **OPTIONS["djoser"],
}
