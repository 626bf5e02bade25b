"""The settings of the recorded project: the defaults of every package, and what RECORD_GROUP lays over them.

RECORD_GROUP is the "settings" of a group file as JSON; the names in over_base that begin with an underscore are told in
README.md.
"""

import json
import os

GROUP = json.loads(os.environ.get("RECORD_GROUP", '{"SECRET_KEY": "golden", "over_base": {}}'))
OVER = GROUP["over_base"]

SECRET_KEY = GROUP["SECRET_KEY"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["RECORD_DATABASE"]}}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
DEBUG = False
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "app"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STATIC_URL = "/static/"

INSTALLED_APPS = [
    app
    for app in (
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "rest_framework",
        "rest_framework.authtoken",
        "rest_framework_simplejwt.token_blacklist",
        "djoser",
    )
    if app not in OVER.get("_drop_apps", ())
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
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
    {"NAME": "django.contrib.auth.password_validation." + name + "Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": OVER.get("_auth", ["rest_framework_simplejwt.authentication.JWTAuthentication"]),
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    **OVER.get("_throttle", {}),
}
SIMPLE_JWT = {}
DJOSER = {
    "PASSWORD_RESET_CONFIRM_URL": "password/reset/confirm/{uid}/{token}",
    "USERNAME_RESET_CONFIRM_URL": "username/reset/confirm/{uid}/{token}",
    "ACTIVATION_URL": "activate/{uid}/{token}",
    "EMAIL_FRONTEND_DOMAIN": "app.example.com",
    "EMAIL_FRONTEND_SITE_NAME": "Golden",
}
DOMAIN, SITE_NAME = "app.example.com", "Golden"  # the same, before djoser 2.3

for _name, _value in OVER.items():
    if isinstance(_value, dict) and _name in globals():
        globals()[_name].update(_value)
    elif not _name.startswith("_"):
        globals()[_name] = _value
