package oauthhttp

import (
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// demand is what a user must do on a page of the host before an authorization request can
// proceed. Its values are those of the parameter prompt.
type demand string

const (
	demandNone    demand = ""
	demandSignIn  demand = "login"
	demandAccount demand = "select_account"
	demandSignUp  demand = "create"
)

// demanded returns what the user must do before the request can proceed (OpenID Connect
// Core §3.1.2.1, prompt, max_age and acr_values; §5.5.1.1, acr). If no user is signed in,
// user is nil. Since is the time at which the request began to wait, and zero for a new
// request. An error is sent to the application.
func (h *Handler) demanded(request *oauthkit.AuthorizeRequest, user *oauthkit.User, since time.Time) (demand, error) {
	if request.AskSignUp && h.config.SignUpURL == "" { // Initiating User Registration §4.1
		return demandNone, oauthkit.Errorf(oauthkit.InvalidRequest, "prompt=create is not supported")
	}
	must, err := demandOf(request, user, since)
	if err == nil && must != demandNone && request.Silent {
		err = oauthkit.Errorf(oauthkit.LoginRequired, "the user has to sign in")
	}
	return must, err
}

// demandOf is demanded for a request that may show pages.
func demandOf(request *oauthkit.AuthorizeRequest, user *oauthkit.User, since time.Time) (demand, error) {
	if user == nil {
		return pageOf(request), nil
	}
	waited := !since.IsZero()
	signedIn := waited && user.AuthTime.After(since)
	chosen := signedIn || waited && user.SelectedAt.After(since)
	otherClass := len(request.RequiredACR) > 0 && !slices.Contains(request.RequiredACR, user.ACR)
	asksNew := request.AskSignIn || request.MaxAge != nil
	asksChoice := request.AskAccount || request.AskSignUp
	switch {
	case request.Subject != "" && user.Subject != request.Subject:
		return demandNone, oauthkit.Errorf(oauthkit.LoginRequired, "another user than the one asked for is signed in")
	case otherClass && (signedIn || user.AuthTime.IsZero()):
		return demandNone, errOtherClass(request.Silent)
	case asksNew && user.AuthTime.IsZero(), asksChoice && user.AuthTime.IsZero() && user.SelectedAt.IsZero():
		return demandNone, oauthkit.Errorf(oauthkit.LoginRequired, "it is not known when the user signed in")
	case asksChoice && !chosen:
		return pageOf(request), nil
	case signedIn: // which is new, whatever else is asked
		return demandNone, nil
	case otherClass, request.AskSignIn, isTooOld(request, user):
		return demandSignIn, nil
	case !waited && prefersOtherClass(request, user):
		return demandSignIn, nil
	default:
		return demandNone, nil
	}
}

// pageOf returns the demand of a request for a page, which is a sign-in unless the
// request asks for another one.
func pageOf(request *oauthkit.AuthorizeRequest) demand {
	switch {
	case request.AskSignUp:
		return demandSignUp
	case request.AskAccount:
		return demandAccount
	default:
		return demandSignIn
	}
}

// errOtherClass returns the error of a sign-in without an essential acr (OpenID Connect
// Core Error Code unmet_authentication_requirements §1). Without a page, a new sign-in
// was not tried.
func errOtherClass(silent bool) error {
	code := oauthkit.UnmetAuthenticationRequirements
	if silent {
		code = oauthkit.LoginRequired
	}
	return oauthkit.Errorf(code, "the sign-in has none of the essential values of acr")
}

// isTooOld reports whether the sign-in is older than max_age. Zero is like prompt=login.
func isTooOld(request *oauthkit.AuthorizeRequest, user *oauthkit.User) bool {
	return request.MaxAge != nil && (request.Now.Sub(user.AuthTime) > *request.MaxAge || *request.MaxAge == 0)
}

// prefersOtherClass reports whether the user is asked for a sign-in of another class. It
// is voluntary: the current one is enough for a request without a page, and if it is not
// known whether a new one followed.
func prefersOtherClass(request *oauthkit.AuthorizeRequest, user *oauthkit.User) bool {
	return len(request.PreferredACR) > 0 && len(request.RequiredACR) == 0 && !request.Silent && !user.AuthTime.IsZero() &&
		!slices.Contains(request.PreferredACR, user.ACR)
}
