package oauthhttp

import (
	"mime"
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// This file is what the JSON of applications and of connected apps has in common. It is for a host's own front end: the caller is
// whoever is signed in to the host with a cookie, so what changes something must come from this site and be JSON.

func userJSON(path string, answer userAnswer, methods ...string) route {
	return route{Endpoint: oauthkit.Endpoint{Path: "api/" + path, Methods: methods, User: answer, Group: GroupManagement}}
}

// errNotSignedIn is what a program is told that calls for nobody. Where to sign in is the front end's to know.
var errNotSignedIn = wire.WithStatus(http.StatusForbidden, oauthkit.Errorf(oauthkit.LoginRequired, "nobody is signed in").WithReason(oauthkit.ReasonNotSignedIn))

// readJSON reads one JSON object. Members that are not known are ignored, so that what was read can be sent back changed; those
// that another program could read differently, such as one that is there twice, are refused. No page of another site can send
// this media type before the browser has asked whether it may.
func readJSON(w http.ResponseWriter, r *http.Request, document any) error {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return wire.WithStatus(http.StatusUnsupportedMediaType, wire.Malformed("the body must be application/json, not compressed"))
	}
	body, err := readAll(w, r)
	switch {
	case err != nil:
		return err
	case !wire.IsText(body):
		return wire.Malformed("the body is not text")
	}
	notOne := wire.Malformed("the body is not a JSON object with the members of this resource")
	if strings.TrimSpace(body) == "null" { // it would be read as an object without members
		return notOne
	}
	if err := strictjson.Unmarshal([]byte(body), document); err != nil {
		return notOne.WithCause(err)
	}
	return nil
}

// list is never null in JSON.
func list[L ~[]E, E any](values L) L {
	if values == nil {
		return L{}
	}
	return values
}
