"""Answers for PyJWT: one line in, one line out.

The first line holds the keys. Every other line is a list [algorithm, token], the token as base64 of its bytes; the answer is
1 when PyJWT takes the token, and 0 when it raises anything. Or it is ["encode", claims], the claims as base64 of their JSON;
the answer is the HS256 token that PyJWT makes of them, or 0.
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
        if alg == "encode":
            claims = json.loads(base64.b64decode(token))
            sys.stdout.write(jwt.encode(claims, keys["HS256"], algorithm="HS256") + "\n")
            sys.stdout.flush()
            continue
        jwt.decode(base64.b64decode(token), keys[alg], algorithms=[alg], **expected)
        sys.stdout.write("1\n")
    except Exception:
        sys.stdout.write("0\n")
    sys.stdout.flush()
