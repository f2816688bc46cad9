"""A Flask application that signs users in with Authlib."""
import os
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect

app = Flask(__name__)
app.secret_key = os.urandom(32)

idp = OAuth(app).register(
    "idp",
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={"scope": "openid profile email"},
)

# One user at a time, so this application keeps the tokens in memory without a session.
tokens = {}


@app.get("/login")
def login():
    return idp.authorize_redirect(os.environ["ORIGIN"] + "/callback")


@app.get("/callback")
def callback():
    try:
        tokens.update(idp.authorize_access_token())
    except OAuthError as error:
        return f"{error.error}: {error.description}", 403
    return tokens["userinfo"]  # the claims of the ID token


@app.get("/userinfo")
def userinfo():
    return idp.userinfo(token=tokens)


@app.get("/refresh")
def refresh():
    before = tokens["access_token"]
    tokens.update(idp.fetch_access_token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]))
    return "refreshed" if tokens["access_token"] != before else ("the access token is the same", 500)


@app.get("/logout")
def logout():
    parameters = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": os.environ["ORIGIN"] + "/"}
    tokens.clear()
    return redirect(idp.load_server_metadata()["end_session_endpoint"] + "?" + urlencode(parameters))


@app.get("/")
def home():
    return "home"


app.run("127.0.0.1", int(os.environ["PORT"]), ssl_context=(os.environ["CERTIFICATE"], os.environ["KEY"]))
