package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// sessionLifetime is how long a browser stays signed in.
const sessionLifetime = 12 * time.Hour

func hash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// cookieName returns the name of the session cookie. Over https it has the __Host-
// prefix, which browsers accept only there.
func (p *pages) cookieName() string {
	if p.secure {
		return "__Host-idp"
	}
	return "idp"
}

// maxACR is the maximum length of an authentication context class in bytes.
const maxACR = 255

// startSession signs a user in. The cookie is new, so that a planted one is never used.
// The session keeps its id if the same user was signed in before. That of another user
// ends, for the applications too.
func (p *pages) startSession(w http.ResponseWriter, r *http.Request, user *user) error {
	acr, err := p.reachedACR(r)
	if err != nil {
		return err
	}
	previous, err := p.session(r)
	if err != nil {
		return err
	}
	id := rand.Text()
	switch {
	case previous == nil:
	case previous.Username == user.Username:
		id = previous.ID
	default:
		// Not Handler.EndSession: the new user answers a request that waits in this
		// browser.
		if _, err := p.authorizations.EndSession(r.Context(), previous.Username, previous.ID); err != nil {
			return err
		}
	}
	if err := p.endSession(r); err != nil {
		return err
	}
	ctx, cancel := p.database.operation(r.Context())
	defer cancel()
	value, now := rand.Text()+rand.Text(), time.Now()
	row := &session{
		Hash: hash(value), ID: id, Username: user.Username, Password: hash(user.Password),
		ACR: acr, SignedIn: now, Expires: now.Add(sessionLifetime),
	}
	if err := p.database.db.WithContext(ctx).Create(row).Error; err != nil {
		return err
	}
	p.setCookie(w, value, int(sessionLifetime/time.Second))
	return nil
}

// reachedACR returns the authentication context class of a sign-in: the first one that
// the waiting application requested and a sign-in satisfies, or else the preferred one.
// It is empty if the seed file lists none.
func (p *pages) reachedACR(r *http.Request) (string, error) {
	if len(p.acrValues) == 0 {
		return "", nil
	}
	pending, err := oauthhttp.PendingLogin[*storedApplication](p.provider, r)
	if err != nil {
		return "", err
	}
	if pending != nil {
		for _, requested := range pending.ACRValues {
			if slices.Contains(p.acrValues, requested) {
				return requested, nil
			}
		}
	}
	return p.acrValues[0], nil
}

// signOut ends the browser's session, if any. It removes the cookie last, so that a
// failed sign-out can be repeated.
func (p *pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := p.endSession(r); err != nil {
		return err
	}
	p.setCookie(w, "", -1)
	return nil
}

// endSession deletes the browser's session, if any, and all expired sessions.
func (p *pages) endSession(r *http.Request) error {
	ctx, cancel := p.database.operation(r.Context())
	defer cancel()
	ended := p.database.db.WithContext(ctx).Where("expires < ?", time.Now())
	if cookie, err := r.Cookie(p.cookieName()); err == nil {
		ended = ended.Or("hash = ?", hash(cookie.Value))
	}
	return ended.Delete(&session{}).Error
}

func (p *pages) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
}

// session returns the browser's session, or nil. A session that started with another
// password is not valid.
func (p *pages) session(r *http.Request) (*session, error) {
	cookie, err := r.Cookie(p.cookieName())
	if err != nil {
		return nil, nil
	}
	ctx, cancel := p.database.operation(r.Context())
	defer cancel()
	found := &session{}
	err = p.database.db.WithContext(ctx).Where("hash = ? AND expires > ?", hash(cookie.Value), time.Now()).Take(found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	user, err := p.database.user(ctx, found.Username)
	if errors.Is(err, errNoUser) || err == nil && found.Password != hash(user.Password) {
		return nil, nil
	}
	return found, err
}

// currentUser is oauthhttp.Config.CurrentUser.
func (p *pages) currentUser(r *http.Request) (*oauthkit.User, error) {
	found, err := p.session(r)
	if err != nil || found == nil {
		return nil, err
	}
	return &oauthkit.User{
		Subject: found.Username, AuthTime: found.SignedIn, SessionID: found.ID, ACR: found.ACR, AMR: []string{"pwd"},
	}, nil
}
