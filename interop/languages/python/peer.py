"""Python's judge: PyJWT. See ../README.md for the lines it reads and writes."""

import base64
import json
import sys

import jwt


def act(action, alg, key, value):
    if action == "sign":
        return jwt.encode(json.loads(value), key, algorithm=alg)
    return json.dumps(jwt.decode(value, key, algorithms=[alg]))


for line in sys.stdin:
    action, alg, key, value = line.split()
    try:
        answer = act(action, alg, base64.b64decode(key).decode(), base64.b64decode(value).decode())
        status = "ok"
    except Exception as error:  # every failure of PyJWT is a refusal
        status, answer = "refused", repr(error)
    print(status, base64.b64encode(answer.encode()).decode(), flush=True)
