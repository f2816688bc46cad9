package oauthhttp

import (
	"mime"
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// This file holds what the JSON of applications and of connections shares. It is for the
// host's own front end. The host's cookie authenticates the user, so requests that change
// something must come from this site and be JSON.

func userJSON(path string, handler userHandler, methods ...string) route {
	return route{Endpoint: oauthkit.Endpoint{Path: "api/" + path, Methods: methods, User: handler, Group: GroupManagement}}
}

// errNotSignedIn answers a program without a signed-in user. The front end knows
// where the user can sign in.
var errNotSignedIn = wire.WithStatus(http.StatusForbidden, oauthkit.Errorf(oauthkit.LoginRequired, "nobody is signed in").WithReason(oauthkit.ReasonNotSignedIn))

// readJSON reads one JSON object. It ignores unknown members, so that a front end can
// change a document and send it back. It refuses an object that another program could
// read differently, such as one with a repeated member. Browsers send a preflight
// request before a page of another site can send this media type.
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
	malformed := wire.Malformed("the body is not a JSON object with the members of this resource")
	if strings.TrimSpace(body) == "null" { // it would decode as an empty object
		return malformed
	}
	if err := strictjson.Unmarshal([]byte(body), document); err != nil {
		return malformed.WithCause(err)
	}
	return nil
}

// list returns values, but never nil, which would be null in JSON.
func list[L ~[]E, E any](values L) L {
	if values == nil {
		return L{}
	}
	return values
}
