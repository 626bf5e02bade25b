"""The project of interop/django as a busy site would set it: connections to PostgreSQL are kept, and there is a view
that asks the database nothing."""

from project.settings import *  # noqa: F403

if DATABASES["default"]["ENGINE"].endswith("postgresql"):  # noqa: F405
    DATABASES["default"]["CONN_MAX_AGE"] = 60  # noqa: F405
ROOT_URLCONF = "bench_urls"
