package request

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// CurrentUser returns the user who is signed in to the host, or nil. It validates the
// user that the host's function returns, because the user becomes part of every
// token.
func CurrentUser(currentUser func(*http.Request) (*oauthkit.User, error), r *http.Request) (*oauthkit.User, error) {
	if currentUser == nil {
		return nil, nil
	}
	user, err := currentUser(r)
	if err != nil {
		return nil, oauthkit.Unavailable(fmt.Errorf("CurrentUser: %w", err))
	}
	if user != nil && (user.Subject == "" || len(user.Subject) > 255) { // OpenID Connect Core §2
		return nil, errors.New("CurrentUser returned a user whose Subject is empty or longer than 255 bytes")
	}
	if user != nil && !wire.IsText(user.Subject+user.ACR+user.SessionID) {
		return nil, errors.New("CurrentUser returned a user whose Subject, ACR or SessionID is not valid text")
	}
	return user, nil
}

// CheckSameOrigin returns an error if another site's page sent r. Secure says that
// browsers call this site over https. A browser that sends no Sec-Fetch-Site header
// lets crossOrigin compare only the hosts, so a page loaded over plain http, which
// anyone on the network could have changed, is then refused as well.
func CheckSameOrigin(crossOrigin *http.CrossOriginProtection, r *http.Request, secure bool) error {
	err := crossOrigin.Check(r)
	if err == nil && secure && r.Header.Get("Sec-Fetch-Site") == "" && strings.HasPrefix(r.Header.Get("Origin"), "http://") {
		err = errors.New("the page was loaded over plain http")
	}
	return err
}
