package oauthhttp

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/oauthkit/oauthkit"
)

// This file is how people sign out of the host, at a page that applications cannot send them through: it takes no parameter.

// SignOutPage asks before somebody is signed out (signout.html).
type SignOutPage struct {
	Page
	// User is who is signed in: the name or, where the host gave none, the subject.
	User string
	// Action is where the form is sent, with Token under the name token.
	Action, Token string
}

// SignedOutPage is what somebody sees who is not signed in, or not any more (signed_out.html).
type SignedOutPage struct {
	Page
	// SignInURL is the host's login page; empty: there is none.
	SignInURL string
	// ConnectionsURL is the page on which users withdraw what they have allowed, after they have signed in; empty: there is none.
	ConnectionsURL string
}

// signOutEndpoints are there if the host has configured how to sign out. They are of the base group, like the pages of signing in:
// a host that leaves out the management pages has users who sign out all the same.
func (h *Handler) signOutEndpoints() []route {
	if h.config.SignOut == nil {
		return nil
	}
	return []route{{page: true, Endpoint: oauthkit.Endpoint{
		Path: "logout", Methods: []string{http.MethodGet, http.MethodPost}, Anyone: h.signOut, Group: GroupBase,
	}}}
}

// signOut asks (GET) and signs out (POST). Whether the page says that somebody is signed out depends on nothing but whether
// somebody is signed in, so that no link can make it say so, and a reload or a way back shows what is true.
func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := h.checkOrigin(r); err != nil {
		return err
	}
	user, err := h.currentUser(r)
	switch {
	case err != nil:
		return err
	case r.Method == http.MethodPost:
		return h.endSession(w, r, user)
	case user == nil:
		return h.writeSignedOutPage(w, r)
	default:
		return h.writeSignOutPage(w, r, user)
	}
}

// endSession has the host end its session, and forgets the browser, so that what waits in it for a decision cannot be decided any
// more. Who has signed out meanwhile, in another window, is shown that.
func (h *Handler) endSession(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	if user != nil {
		if _, err := h.readUserForm(w, r, h.signOutPath(), user); err != nil {
			return err
		}
		if err := h.config.SignOut(w, r); err != nil {
			return oauthkit.Unavailable(fmt.Errorf("signing out: %w", err))
		}
		h.forgetBrowser(w)
		h.provider.Record(r.Context(), oauthkit.SignedOut{Subject: user.Subject})
	}
	redirect(w, h.signOutPath())
	return nil
}

func (h *Handler) signOutPath() string { return h.provider.Prefix() + "/logout" }

func (h *Handler) writeSignOutPage(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	content := &SignOutPage{
		User:   cmp.Or(user.Name, user.Subject),
		Action: h.signOutPath(),
		Token:  h.newFormToken(w, r, h.signOutPath(), user),
	}
	return h.writePage(w, r, pageResponse{name: "signout", status: http.StatusOK, title: "signout.title", formAction: "'self'"}, content)
}

func (h *Handler) writeSignedOutPage(w http.ResponseWriter, r *http.Request) error {
	content := &SignedOutPage{SignInURL: h.config.LoginURL}
	if h.config.Authorizations != nil && h.serves(GroupManagement) {
		content.ConnectionsURL = h.path("authorized_tokens")
	}
	return h.writePage(w, r, pageResponse{name: "signed_out", status: http.StatusOK, title: "signout.done.title", formAction: "'none'"}, content)
}
