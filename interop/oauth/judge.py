"""A client with requests-oauthlib. Each line of standard input is a request in JSON; the response is a line with its
Value or its Error."""
import json
import os
import sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP on this machine
from oauthlib.oauth2 import BackendApplicationClient  # noqa: E402
from requests.auth import HTTPBasicAuth  # noqa: E402
from requests_oauthlib import OAuth2Session  # noqa: E402


def exercise(url, id, secret, method, scope, **_):
    session = OAuth2Session(client=BackendApplicationClient(client_id=id, scope=scope.split() if scope else None))
    if method == "client_secret_basic":
        token = session.fetch_token(url + "/o/token/", auth=HTTPBasicAuth(id, secret))
    else:
        token = session.fetch_token(url + "/o/token/", client_secret=secret, include_client_id=True)
    me = session.get(url + "/auth/users/me/")
    return {"scope": token["scope"], "status": me.status_code, "username": me.json().get("username")}


for line in sys.stdin:
    try:
        answer = {"Value": exercise(**json.loads(line))}
    except Exception as e:  # the judge says what it saw
        answer = {"Error": "%s: %s" % (getattr(e, "error", type(e).__name__), e)}
    print(json.dumps(answer), flush=True)
