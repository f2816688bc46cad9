package oauthhttp

import (
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file has the cookie that identifies a browser. Pending requests
// and forms are bound to it.

// cookieName returns the name of the cookie. With the prefix __Host-, which browsers
// accept only over https, no other host of the domain can set the cookie. Since it
// is sent to every path of the host, the name depends on the issuer: several
// providers on one host each have their own.
func (h *Handler) cookieName() string {
	name := "oauthkit-" + secret.Hash(h.provider.Issuer())[:8]
	if h.secure() {
		return "__Host-" + name
	}
	return name
}

func (h *Handler) secure() bool { return strings.HasPrefix(h.provider.Issuer(), "https://") }

// browser returns the value of the browser's cookie, or "" if there is none.
func (h *Handler) browser(r *http.Request) string {
	cookie, err := r.Cookie(h.cookieName())
	if err != nil || !secret.Browser.Is(cookie.Value) {
		return ""
	}
	return cookie.Value
}

// ensureBrowser returns the value of the browser's cookie, after this response. If there
// is none, it sets one, so that several forms on a page have the same.
func (h *Handler) ensureBrowser(w http.ResponseWriter, r *http.Request) string {
	for _, line := range w.Header()["Set-Cookie"] {
		if set, err := http.ParseSetCookie(line); err == nil && set.Name == h.cookieName() && secret.Browser.Is(set.Value) {
			return set.Value
		}
	}
	if browser := h.browser(r); browser != "" {
		return browser
	}
	return h.renewBrowser(w)
}

// renewBrowser sets another cookie, and returns its value.
func (h *Handler) renewBrowser(w http.ResponseWriter) string {
	browser := secret.New(secret.Browser)
	h.setBrowser(w, browser, 0)
	return browser
}

// forgetBrowser deletes the browser's cookie. Its pending requests and
// its forms are then invalid.
func (h *Handler) forgetBrowser(w http.ResponseWriter) { h.setBrowser(w, "", -1) }

func (h *Handler) setBrowser(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever the issuer is https
		Name: h.cookieName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode,
	})
}
