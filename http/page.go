package oauthhttp

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// ConsentPage is what the consent page shows (consent.html).
type ConsentPage struct {
	Page
	// Application is its name, in its own words. Never make it part of a sentence of yours.
	Application string
	// Host is where the answer goes; empty: to an app on the user's device.
	Host string
	// Verified says that the operator vouches for the name.
	Verified bool
	// Rows are the host's own, from Config.ConsentRows.
	Rows []ConsentRow
	// Scopes are what is asked for, and Choosable says whether the user may approve some of them only.
	Scopes    []ConsentScope
	Choosable bool
	// NothingChosen says that the form came back without any of them, so that it is shown once more.
	NothingChosen bool
	// Withdrawable says that there is a page of connected apps, on which the user can take back later what he allows.
	Withdrawable bool
	// Resources are the APIs that the access is for (RFC 8707), as URIs; none: all.
	Resources []string
	// EveryAPI says that there are APIs which the request could have named, and that it names none, so that the
	// consent holds for all of them.
	EveryAPI bool
	// User is who is signed in, and SwitchURL where to sign in as somebody else; empty: nowhere.
	User      string
	SwitchURL string
	// Action is where the form is sent. It must send Interaction and Token under the names interaction and token, decision
	// (allow or deny), and where Choosable each approved scope under the name scope.
	Action, Interaction, Token string
}

// ConsentScope is one scope on the consent page.
type ConsentScope struct {
	Name string
	// Description is what it means in words, in the page's language where there is a text for it; empty where nobody said.
	Description string
	// New says that it is asked for the first time, beside others that were approved before.
	New bool
	// Fixed says that it comes with any approval, whether or not the form sends it: openid.
	Fixed bool
	// Chosen says that its box is checked, as all are at first.
	Chosen bool
}

// consentSamples show everything that a consent page can.
func consentSamples() []pageContent {
	choice := &ConsentPage{
		Application: "x", Host: "x", Rows: []ConsentRow{{Label: "x", Value: "x"}}, Choosable: true,
		Scopes: []ConsentScope{{Name: "openid", Fixed: true, Chosen: true}, {Name: "x", Description: "x", New: true}}, NothingChosen: true, Withdrawable: true,
		Resources: []string{"x"}, User: "x", SwitchURL: "x", Action: "x", Interaction: "x", Token: "x",
	}
	all := *choice
	all.Host, all.Verified, all.Choosable, all.EveryAPI = "", true, false, true
	return []pageContent{choice, &all, &ConsentPage{}}
}

// ErrorPage is what an error page shows (error.html). Nothing of the request is on it: anybody can send people here with a link.
type ErrorPage struct {
	Page
	Heading, Message string
	// Code stays the same in every version and language, so that it can be searched for.
	Code oauthkit.Reason
	// Detail is the description of the error at the authorization endpoint, in English, for the developer of the application that made
	// the request; empty: none did.
	Detail string
	// TraceID is in the log beside the reason.
	TraceID string
}

// writeConsentPage asks the user, once more where nothing was chosen.
func (h *Handler) writeConsentPage(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User, consent *oauthkit.Consent, nothingChosen bool) error {
	app, uiLocales := request.Application, request.Form.Get("ui_locales")
	content := &ConsentPage{
		Application:   oauthkit.DisplayName(app),
		Host:          answerHost(request.RedirectURI()),
		Verified:      oauthkit.IsVerified(app),
		Choosable:     h.config.UserChoosesScopes,
		NothingChosen: nothingChosen,
		Withdrawable:  h.config.Authorizations != nil && h.serves(GroupManagement),
		Resources:     request.Resources,
		EveryAPI:      len(request.Resources) == 0 && h.provider.HasResources(),
		User:          cmp.Or(user.Name, user.Subject),
		SwitchURL:     h.loginURL(h.consentLogin(request.AuthorizeRequest, request.path, user)),
		Action:        h.provider.Prefix() + "/consent",
		Interaction:   request.id,
		Token:         request.formToken(user),
	}
	texts, err := h.provider.ScopeTexts(r.Context())
	if err != nil {
		return err
	}
	language := h.pages.words.choose(r, uiLocales)
	for _, scope := range request.Scopes {
		content.Scopes = append(content.Scopes, ConsentScope{
			Name: scope, Description: h.pages.words.scope(language, scope, texts[scope]),
			New: consent != nil && !consent.Covers(oauthkit.Scopes{scope}, request.Resources), Fixed: isFixed(scope),
			Chosen: !nothingChosen || isFixed(scope),
		})
	}
	if h.config.ConsentRows != nil {
		content.Rows = h.config.ConsentRows(r.Context(), app)
	}
	response := pageResponse{
		name: "consent", status: http.StatusOK, title: "consent.title",
		formAction: "'self' " + formTargets(request.RedirectURI()), uiLocales: uiLocales,
	}
	if nothingChosen {
		response.status, response.title = http.StatusUnprocessableEntity, "consent.nothing_chosen.title"
	}
	return h.writePage(w, r, response, content)
}

// answerHost names where the answer goes; empty: a loopback address or a private-use scheme (RFC 8252 §7).
func answerHost(redirectURI string) string {
	parsed, err := url.Parse(redirectURI)
	if err != nil || parsed.Scheme != "https" {
		return ""
	}
	return parsed.Host
}

// formTargets are the source expressions for where the form leads. Browsers hold every redirect after it to form-action, those
// of the application's own pages included, and know no IPv6 address there. So only schemes can be named.
func formTargets(redirectURI string) string {
	scheme, _, _ := strings.Cut(redirectURI, ":")
	if scheme == "https" || scheme == "http" {
		return "https: http:"
	}
	return "https: http: " + scheme + ":"
}

// writeErrorPage answers a person: what to do now, by the reason. The details are in the log, under the same trace id.
func (h *Handler) writeErrorPage(w http.ResponseWriter, r *http.Request, found route, err error) {
	status, reason, t := wire.Status(err), oauthkit.ReasonOf(err), h.words(r)
	h.log(r, err)
	content := &ErrorPage{Heading: t("error.request.heading"), Code: reason, TraceID: oauthkit.RequestInfoFrom(r.Context()).TraceID}
	switch {
	case status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", wire.RetryAfter)
		content.Heading = t("error.unavailable.heading")
	case status >= http.StatusInternalServerError:
		content.Heading = t("error.failure.heading")
	case reason == oauthkit.ReasonFormExpired:
		content.Heading = t("error.form.heading")
	case status == http.StatusNotFound, status == http.StatusConflict, status == http.StatusForbidden:
		content.Heading = t("error.denied.heading")
	case found.Path == authorizePath: // an application made this request
		content.Detail = wire.Description(err)
	}
	content.Message = t.or("error.reason."+string(reason), t("error.request.message"))
	response := pageResponse{name: "error", status: status, title: "error.title", formAction: "'none'"}
	if err := h.writePage(w, r, response, content); err != nil {
		h.log(r, err)
		http.Error(w, http.StatusText(status), status)
	}
}

const stylesheetPath = "oauthkit.css"

// stylesheetURL changes with the stylesheet, so that browsers can keep it for as long as it is the same.
func stylesheetURL(prefix string) string {
	sum := sha256.Sum256(stylesheet)
	return fmt.Sprintf("%s/%s?v=%x", prefix, stylesheetPath, sum[:6])
}

//go:embed templates/oauthkit.css
var stylesheet []byte

func serveStylesheet(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(stylesheet)
	return nil
}
