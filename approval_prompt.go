package oauthkit

import (
	"context"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// ApprovalPrompt is a value of Django OAuth Toolkit's parameter approval_prompt.
type ApprovalPrompt string

// The values of approval_prompt.
const (
	// ApprovalAuto asks the user only for what he has not approved before.
	ApprovalAuto ApprovalPrompt = ""
	// ApprovalForce asks him each time, unless the application is trusted.
	ApprovalForce ApprovalPrompt = "force"
)

// checkApprovalPrompt reads approval_prompt, and prompt=consent, which is above it, and which even a trusted application can ask for.
// The other values of prompt are OpenID Connect's, and what they ask for can only be done with its extension.
func (p *Provider) checkApprovalPrompt(request *AuthorizeRequest) error {
	request.AskConsent = slices.Contains(strings.Fields(request.Form.Get("prompt")), "consent")
	switch value := request.Form.Get("approval_prompt"); value {
	case "":
		request.approvalPrompt = p.config.ApprovalPrompt
	case "auto":
		request.approvalPrompt = ApprovalAuto
	case "force":
		request.approvalPrompt = ApprovalForce
	default:
		return Errorf(InvalidRequest, "approval_prompt is neither auto nor force")
	}
	return nil
}

// trusted reports whether the user is not to be asked at all.
func (p *Provider) trusted(ctx context.Context, request *AuthorizeRequest, user *User) (bool, error) {
	if request.AskConsent || !request.identifiesApplication() {
		return false, nil
	}
	if SkipsConsent(request.Application) || p.config.SkipConsent == nil {
		return SkipsConsent(request.Application), nil
	}
	skips, err := p.config.SkipConsent(ctx, request, user)
	if err != nil {
		return false, Unavailable(err)
	}
	return skips, nil
}

// identifiesApplication reports whether the answer can only reach the application itself. A public one has nothing but its
// redirect URI to be told from an impostor by, and only an https address belongs to somebody (RFC 8252 §8.6).
func (r *AuthorizeRequest) identifiesApplication() bool {
	return !r.Application.IsPublic() || strings.HasPrefix(r.redirectURI, "https://")
}

// ApplicationDigest is what Consent.ApplicationDigest is compared with. A page that asks for consent shows what it covers, so an answer
// to the page is one about this application only as long as it is the same. It covers the name, the redirect
// URIs, and the client type: a public application cannot be told from an impostor by its secret.
func (r *AuthorizeRequest) ApplicationDigest() string {
	where := []string{r.Application.GetDomain()}
	if lister, ok := r.Application.(RedirectURILister); ok {
		where = slices.Sorted(slices.Values(lister.RegisteredRedirectURIs()))
	}
	kind := string(Confidential)
	if r.Application.IsPublic() {
		kind = string(Public)
	}
	return secret.Hash(strings.Join(append([]string{DisplayName(r.Application), kind}, where...), "\x00"))
}
