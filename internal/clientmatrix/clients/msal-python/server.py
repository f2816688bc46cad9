"""A Flask application that signs users in with MSAL."""
import os
from urllib.parse import urlencode

import msal
import requests
from flask import Flask, redirect, request

ISSUER, ORIGIN = os.environ["ISSUER"], os.environ["ORIGIN"]
SCOPES = ["email"]  # MSAL adds openid, profile and offline_access

app = Flask(__name__)
idp = msal.ConfidentialClientApplication(
    os.environ["CLIENT_ID"], client_credential=os.environ["CLIENT_SECRET"], oidc_authority=ISSUER)

# One user at a time, so this application keeps the flow in memory without a session.
pending = {}


@app.get("/login")
def login():
    pending.clear()
    pending.update(idp.initiate_auth_code_flow(SCOPES, redirect_uri=ORIGIN + "/callback"))
    return redirect(pending["auth_uri"])


@app.get("/callback")
def callback():
    result = idp.acquire_token_by_auth_code_flow(pending, request.args)
    if "error" in result:
        return result, 403
    pending["id_token"] = result["id_token"]
    return {"username": account()["username"], "claims": result["id_token_claims"]}


def account():
    return idp.get_accounts()[0]


def token(**options):
    return idp.acquire_token_silent(SCOPES, account(), **options)["access_token"]


@app.get("/userinfo")
def userinfo():
    return requests.get(ISSUER + "/userinfo", headers={"Authorization": "Bearer " + token()}, timeout=10).json()


@app.get("/refresh")
def refresh():
    return "refreshed" if token() != token(force_refresh=True) else ("the access token is the same", 500)


@app.get("/logout")
def logout():
    idp.remove_account(account())
    return redirect(ISSUER + "/logout?" + urlencode(
        {"id_token_hint": pending["id_token"], "post_logout_redirect_uri": ORIGIN + "/"}))


@app.get("/")
def home():
    return "home"


app.run("127.0.0.1", int(os.environ["PORT"]), ssl_context=(os.environ["CERTIFICATE"], os.environ["KEY"]))
