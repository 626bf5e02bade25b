#!/usr/bin/env python3
"""Django's command line for this project. What differs between tests comes in DJANGO_OPTIONS: project/settings.py."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
