package oauthhttp

import (
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file is the cookie by which a browser is known again: requests that wait and forms belong to it.

// cookieName has the prefix __Host- wherever a browser accepts it, so that no other host of the domain can set the cookie. Such a
// cookie is sent to every path of the host, so that the name tells the issuer: providers beside each other have one each.
func (h *Handler) cookieName() string {
	name := "oauthkit-" + secret.Hash(h.provider.Issuer())[:8]
	if h.secure() {
		return "__Host-" + name
	}
	return name
}

func (h *Handler) secure() bool { return strings.HasPrefix(h.provider.Issuer(), "https://") }

// browser returns the browser's cookie, and nothing where it has none of ours.
func (h *Handler) browser(r *http.Request) string {
	cookie, err := r.Cookie(h.cookieName())
	if err != nil || !secret.Browser.Is(cookie.Value) {
		return ""
	}
	return cookie.Value
}

// knownBrowser returns the browser's cookie, and gives it one where it has none.
func (h *Handler) knownBrowser(w http.ResponseWriter, r *http.Request) string {
	browser := h.browser(r)
	if browser == "" {
		browser = secret.New(secret.Browser)
		h.setBrowser(w, browser, 0)
	}
	return browser
}

// forgetBrowser takes the browser's cookie away. Every request that it has begun, and every form that it shows, is void then.
func (h *Handler) forgetBrowser(w http.ResponseWriter) { h.setBrowser(w, "", -1) }

func (h *Handler) setBrowser(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever the issuer is https
		Name: h.cookieName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode,
	})
}
