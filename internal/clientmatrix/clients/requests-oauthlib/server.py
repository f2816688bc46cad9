"""A Flask application that signs users in with requests-oauthlib, which knows OAuth 2 but not OpenID Connect."""
import os
from urllib.parse import urlencode

from flask import Flask, redirect, request
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

ISSUER, ORIGIN, CLIENT_ID = os.environ["ISSUER"], os.environ["ORIGIN"], os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]

app = Flask(__name__)
idp = OAuth2Session(CLIENT_ID, redirect_uri=ORIGIN + "/callback", scope=["openid", "profile", "email"])

# One user at a time, so this application keeps the state in memory without a session.
pending = {}


@app.get("/login")
def login():
    address, pending["state"] = idp.authorization_url(ISSUER + "/authorize")
    return redirect(address)


@app.get("/callback")
def callback():
    if request.args.get("state") != pending.pop("state"):
        return "wrong state", 400
    try:
        idp.fetch_token(ISSUER + "/token", client_secret=CLIENT_SECRET, authorization_response=request.url)
    except OAuth2Error as error:
        return f"{error.error}: {error.description}", 403
    return userinfo()


@app.get("/userinfo")
def userinfo():
    return idp.get(ISSUER + "/userinfo").json()


@app.get("/refresh")
def refresh():
    before = idp.token["access_token"]
    idp.refresh_token(ISSUER + "/token", auth=(CLIENT_ID, CLIENT_SECRET))
    return "refreshed" if idp.token["access_token"] != before else ("the access token is the same", 500)


@app.get("/logout")
def logout():
    return redirect(ISSUER + "/logout?" + urlencode(
        {"id_token_hint": idp.token["id_token"], "post_logout_redirect_uri": ORIGIN + "/"}))


@app.get("/")
def home():
    return "home"


app.run("127.0.0.1", int(os.environ["PORT"]), ssl_context=(os.environ["CERTIFICATE"], os.environ["KEY"]))
