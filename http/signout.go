package oauthhttp

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/oauthkit/oauthkit"
)

// This file holds the page on which users sign out of the host. It takes no
// parameters, so applications cannot redirect through it.

// SignOutPage asks the user to confirm the sign-out (signout.html).
type SignOutPage struct {
	Page
	// User is the name of the signed-in user, or the subject if the host gave no name.
	User string
	// Action is the URL of the form, which must send Token under the name token.
	Action, Token string
}

// SignedOutPage is shown if no user is signed in (signed_out.html).
type SignedOutPage struct {
	Page
	// SignInURL is the host's login page. It is empty if there is none.
	SignInURL string
	// ConnectionsURL is the page on which users revoke access after they have signed
	// in. It is empty if there is none.
	ConnectionsURL string
}

// signOutEndpoints returns the sign-out page if the host has configured how to sign
// out. It belongs to the base group, because a host without management pages has
// users who sign out too.
func (h *Handler) signOutEndpoints() []route {
	if h.config.SignOut == nil {
		return nil
	}
	return []route{{page: true, Endpoint: oauthkit.Endpoint{
		Path: "logout", Methods: []string{http.MethodGet, http.MethodPost}, Anyone: h.signOut, Group: GroupBase,
	}}}
}

// signOut shows the confirmation (GET) and signs the user out (POST). The page says
// that the user is signed out only if that is true, so no link can fake it and a
// reload stays correct.
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

// endSession ends the host's session and forgets the browser, so that its pending
// requests can no longer be decided. If the user has already signed out in another
// window, it only shows that.
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
		Token:  h.NewFormToken(w, r, h.signOutPath(), user),
	}
	return h.writePage(w, r, PageResponse{Name: "signout", Status: http.StatusOK, Title: "signout.title", FormAction: "'self'"}, content)
}

func (h *Handler) writeSignedOutPage(w http.ResponseWriter, r *http.Request) error {
	content := &SignedOutPage{SignInURL: h.config.LoginURL}
	if h.config.Authorizations != nil && h.serves(GroupManagement) {
		content.ConnectionsURL = h.path("authorized_tokens")
	}
	return h.writePage(w, r, PageResponse{Name: "signed_out", Status: http.StatusOK, Title: "signout.done.title", FormAction: "'none'"}, content)
}
