package oauthkit

import (
	"context"
	"errors"
	"time"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// A session is the sign-in of one user in one browser, seen from the provider. It has no
// row: it is the set of Authorizations with the same SessionID. Applications know it by
// that id, the sid of ID tokens (OpenID Connect Back-Channel Logout 1.0 §2.1).

// LogoutPolicy says which Authorizations end with the session in which they were
// approved.
type LogoutPolicy string

// The values of [LogoutPolicy].
const (
	// LogoutKeepsOffline ends all except those with [OfflineAccessScope] (OpenID Connect
	// Back-Channel Logout 1.0 §2.7). It is the default.
	LogoutKeepsOffline LogoutPolicy = ""
	// LogoutEndsAll ends all.
	LogoutEndsAll LogoutPolicy = "all"
	// LogoutKeepsAll ends none. Applications are told of the logout all the same.
	LogoutKeepsAll LogoutPolicy = "none"
)

func (l LogoutPolicy) isKnown() bool {
	return l == LogoutKeepsOffline || l == LogoutEndsAll || l == LogoutKeepsAll
}

// Session identifies a session to end.
type Session struct {
	// Subject is the user.
	Subject string
	// ID is the sid, as [Provider.SessionID] returns it.
	ID string
	// BrowserHash is the hash of the library's cookie, as in [Interaction]. If empty, the
	// requests that wait in the browser are not deleted; they cannot be approved either.
	BrowserHash string
}

// SessionID returns the sid of the session of user. It is empty if user has no SessionID.
// It is a hash, because the SessionID can be the host's cookie.
func (p *Provider) SessionID(user *User) string {
	if user == nil || user.SessionID == "" {
		return ""
	}
	return secret.Hash("oauthkit session\x00" + p.issuer + "\x00" + user.Subject + "\x00" + user.SessionID)
}

// EndSession ends a session: in one act, it revokes the Authorizations of the session as
// Config.Logout says, deletes the requests that wait in the browser, refuses new
// Authorizations of the session, and saves a [Notice] for each application in it.
//
// It does not end the host's own session. It returns the applications that were in the
// session. Ending a session twice is not an error.
func (p *Provider) EndSession(ctx context.Context, session Session) (clientIDs []string, err error) {
	if session.Subject == "" || session.ID == "" {
		return nil, errors.New("oauthkit: EndSession: the session has no Subject or no ID")
	}
	end := SessionEnd{Session: session, Revocation: p.revocation()}
	switch p.config.Logout {
	case LogoutKeepsOffline:
		end.Keep = OfflineAccessScope
	case LogoutKeepsAll:
		end.KeepAll = true
	}
	ended, err := p.store.EndSession(context.WithoutCancel(ctx), end)
	if err != nil {
		return nil, Unavailable(err)
	}
	p.Record(ctx, SessionEnded{Subject: session.Subject, SessionID: session.ID, Clients: len(ended.ClientIDs), Authorizations: ended.Revoked})
	p.wakeDelivery()
	return ended.ClientIDs, nil
}

// revocation returns the argument of an act that revokes now and tells every receiver.
func (p *Provider) revocation() Revocation {
	return Revocation{Now: p.Now(), Receivers: p.receiverNames}
}

// keepInSession extends an Authorization without a refresh token until the session is
// over, if the application wants to be told of that: without the row the provider would
// not know whom to tell. The expiry of its tokens does not change, and nothing else can
// be done with the row.
func (p *Provider) keepInSession(app Application, authorization *Authorization, now time.Time) {
	if authorization.SessionID == "" || BackChannelLogout(app).URI == "" && FrontChannelLogout(app).URI == "" {
		return
	}
	if end := now.Add(p.config.SessionLifetime); authorization.ExpiresAt.Before(end) {
		authorization.ExpiresAt = end
	}
}
