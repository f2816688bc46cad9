package oauthhttp

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// ConsentPage is the data of the consent page (consent.html).
type ConsentPage struct {
	Page
	// Application is the name that the application gave itself. Never make it part of a
	// sentence of your own.
	Application string
	// Host is the host of the redirect URI. If it is empty, an app on the user's device
	// gets the response, unless Elsewhere is true.
	Host string
	// Elsewhere reports whether the response goes to no redirect URI, because an
	// extension delivers it in another way. The page must then name no recipient.
	Elsewhere bool
	// Intro is a sentence of the extension whose page this is. Otherwise it is empty.
	Intro string
	// Verified reports whether the operator verified the application's name.
	Verified bool
	// Rows are the host program's own rows, from Config.ConsentRows.
	Rows []ConsentRow
	// Scopes are the requested scopes. Choosable reports whether the user may approve
	// only some of them.
	Scopes    []ConsentScope
	Choosable bool
	// Claims are the details about the user that the application gets beside the scopes.
	Claims []string
	// NothingChosen reports whether the user submitted the form without a scope, so that
	// the page is shown again.
	NothingChosen bool
	// Revocable reports whether there is a page on which the user can revoke the access
	// later.
	Revocable bool
	// Resources are the URIs of the APIs that the access is for (RFC 8707). If there are
	// none, it is for all of them.
	Resources []string
	// EveryAPI reports whether the request could have named APIs but named none, so that
	// the consent covers all of them.
	EveryAPI bool
	// User is the signed-in user. SwitchURL is the page to sign in as another user; it is
	// empty if there is none.
	User      string
	SwitchURL string
	// Action is the URL of the form. The form must send Interaction and Token under the
	// names interaction and token, and decision (allow or deny). If Choosable is true, it
	// must also send each approved scope under the name scope.
	Action, Interaction, Token string
}

// ConsentScope is a scope on the consent page.
type ConsentScope struct {
	Name string
	// Description describes the scope in the page's language if there is a text for it.
	// It is empty if there is no description at all.
	Description string
	// New reports whether the scope is requested for the first time by an application
	// whose other scopes the user has approved before.
	New bool
	// Fixed reports whether every approval includes the scope, whether or not the form
	// sends it. Only openid is fixed.
	Fixed bool
	// Chosen reports whether the checkbox is checked. At first all are.
	Chosen bool
}

// consentSamples returns data that shows every part of the consent page.
func consentSamples() []PageContent {
	choice := &ConsentPage{
		Application: "x", Host: "x", Rows: []ConsentRow{{Label: "x", Value: "x"}}, Choosable: true,
		Claims: []string{"x"},
		Scopes: []ConsentScope{{Name: "openid", Fixed: true, Chosen: true}, {Name: "x", Description: "x", New: true}}, NothingChosen: true, Revocable: true,
		Resources: []string{"x"}, User: "x", SwitchURL: "x", Action: "x", Interaction: "x", Token: "x",
	}
	all := *choice
	all.Host, all.Verified, all.Choosable, all.EveryAPI = "", true, false, true
	return []PageContent{choice, &all, &ConsentPage{}, &ConsentPage{Elsewhere: true, Intro: "x", Revocable: true}}
}

// writeConsentPage asks the user for consent. NothingChosen reports whether the user has
// already submitted the form without a scope.
func (h *Handler) writeConsentPage(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User, consent *oauthkit.Consent, nothingChosen bool) error {
	content, response, err := h.consentPage(r, &request.ConsentRequest, user, consent, nothingChosen)
	if err != nil {
		return err
	}
	content.Host = answerHost(request.RedirectURI())
	content.SwitchURL = h.loginURL(h.consentLogin(request.AuthorizeRequest, demandNone, request.path, user))
	content.Action = h.provider.Prefix() + "/consent"
	content.Interaction = request.id
	content.Token = request.formToken(user)
	response.FormAction = "'self' " + formTargets(request.RedirectURI())
	return h.writePage(w, r, response, content)
}

// consentPage returns the data of the consent page for a request, without the form.
func (h *Handler) consentPage(r *http.Request, request *oauthkit.ConsentRequest, user *oauthkit.User, consent *oauthkit.Consent, nothingChosen bool) (*ConsentPage, PageResponse, error) {
	app, uiLocales := request.Application, request.Form.Get("ui_locales")
	response := PageResponse{Name: "consent", Status: http.StatusOK, Title: "consent.title", UILocales: uiLocales}
	if nothingChosen {
		response.Status, response.Title = http.StatusUnprocessableEntity, "consent.nothing_chosen.title"
	}
	content := &ConsentPage{
		Application:   oauthkit.DisplayName(app),
		Verified:      oauthkit.IsVerified(app),
		Choosable:     h.config.UserChoosesScopes,
		NothingChosen: nothingChosen,
		Revocable:     h.config.Authorizations != nil && h.serves(GroupManagement),
		Resources:     request.Resources,
		EveryAPI:      len(request.Resources) == 0 && h.provider.HasResources(),
		User:          cmp.Or(user.Name, user.Subject),
	}
	texts, err := h.provider.ScopeTexts(r.Context())
	if err != nil {
		return nil, response, err
	}
	language := h.pages.catalogue.choose(r, uiLocales)
	for _, scope := range request.Scopes {
		content.Scopes = append(content.Scopes, ConsentScope{
			Name: scope, Description: h.pages.catalogue.scope(language, scope, texts[scope]),
			New: consent != nil && !consent.Covers(oauthkit.Scopes{scope}, request.Resources), Fixed: isFixed(scope),
			Chosen: !nothingChosen || isFixed(scope),
		})
	}
	for _, claim := range request.Claims {
		content.Claims = append(content.Claims, h.pages.catalogue.claim(language, claim))
	}
	if h.config.ConsentRows != nil {
		content.Rows = h.config.ConsentRows(r.Context(), app)
	}
	return content, response, nil
}

// answerHost returns the host of an https redirect URI. It is empty for a loopback
// address and a private-use scheme (RFC 8252 §7).
func answerHost(redirectURI string) string {
	parsed, err := url.Parse(redirectURI)
	if err != nil || parsed.Scheme != "https" {
		return ""
	}
	return parsed.Host
}

// formTargets returns the form-action sources for a redirect URI. Browsers apply
// form-action to every later redirect too, including those of the application's own
// pages, and accept no IPv6 address in it. So the policy can only name schemes.
func formTargets(redirectURI string) string {
	scheme, _, _ := strings.Cut(redirectURI, ":")
	if scheme == "https" || scheme == "http" {
		return "https: http:"
	}
	return "https: http: " + scheme + ":"
}
