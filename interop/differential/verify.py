"""Answers for PyJWT: one line in, one letter out.

The first line holds the keys. Every other line is a list [algorithm, token], the token as base64 of its bytes. The answer is
1 when PyJWT takes the token, and 0 when it raises anything.
"""

import base64
import json
import sys

import jwt

setup = json.loads(sys.stdin.readline())
keys = {}
for alg, text in setup["keys"].items():
    keys[alg] = base64.b64decode(text) if alg.startswith("HS") else text
expected = {"audience": setup["audience"], "issuer": setup["issuer"], "options": {"require": ["exp"]}}

for line in sys.stdin:
    alg, token = json.loads(line)
    try:
        jwt.decode(base64.b64decode(token), keys[alg], algorithms=[alg], **expected)
        sys.stdout.write("1\n")
    except Exception:
        sys.stdout.write("0\n")
    sys.stdout.flush()
