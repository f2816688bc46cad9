package oidc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/oauthkit/oauthkit"
)

// The scopes of OpenID Connect besides offline_access (§3.1.2.1, §5.4).
const (
	scopeOpenID  = "openid"
	scopeProfile = "profile"
	scopeEmail   = "email"
	scopeAddress = "address"
	scopePhone   = "phone"
)

// group is the group of the extension's endpoints, with the value of oauthhttp.GroupOIDC.
const group oauthkit.Group = "oidc"

// userInfoPath is the path of user info below the issuer.
const userInfoPath = "userinfo"

// announce registers the scopes and the metadata (OpenID Connect Discovery 1.0 §3). A
// scope's description continues "This application will be able to". Unsupported
// features are listed as false, since the default of request_uri_parameter_supported is
// true.
func (e *Extension) announce(registry *oauthkit.Registry) {
	registry.Scope(scopeOpenID, "sign you in")
	registry.Scope(scopeProfile, "see your name, your picture and the rest of your profile")
	registry.Scope(scopeEmail, "see your email address")
	registry.Scope(scopeAddress, "see your postal address")
	registry.Scope(scopePhone, "see your phone number")
	registry.Scope(oauthkit.OfflineAccessScope, "keep its access while you are away") // even if nothing refreshes

	registry.MetadataDocument(group, "openid-configuration")
	registry.Metadata(group, func(metadata map[string]any) {
		metadata["subject_types_supported"] = []string{"public"}
		metadata["id_token_signing_alg_values_supported"] = slices.Clone(e.keys.algorithms)
		metadata["claim_types_supported"] = []string{"normal"}
		metadata["claims_supported"] = e.claimsSupported()
		metadata["prompt_values_supported"] = []string{promptNone, promptLogin, promptConsent, promptSelectAccount}
		metadata["claims_parameter_supported"] = e.config.ClaimsParameter
		metadata["request_parameter_supported"] = false
		metadata["request_uri_parameter_supported"] = false
		if len(e.config.ACRValues) > 0 {
			metadata["acr_values_supported"] = slices.Clone(e.config.ACRValues)
		}
	})
}

// claimsSupported returns the claims of ID tokens and those that the host can return.
func (e *Extension) claimsSupported() []string {
	claims := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "amr", "sid"}
	if len(e.config.ACRValues) > 0 {
		claims = append(claims, "acr")
	}
	return append(claims, e.config.ClaimNames...)
}

// checkClaimNames returns an error if ClaimNames has a name that the host cannot return.
func (c *Config) checkClaimNames() error {
	if c.ClaimsParameter && (c.Claims == nil || len(c.ClaimNames) == 0) {
		return errors.New("oidc: Config.ClaimsParameter needs Config.Claims and Config.ClaimNames")
	}
	for i, name := range c.ClaimNames {
		switch {
		case name == "" || slices.Contains(c.ClaimNames[:i], name):
			return fmt.Errorf("oidc: Config.ClaimNames has the name %q twice, or it is empty", name)
		case isReserved(name):
			return fmt.Errorf("oidc: Config.ClaimNames has %s, a claim of the protocol", name)
		case c.Claims == nil && c.IDTokenClaims == nil:
			return errors.New("oidc: Config.ClaimNames needs Config.Claims or Config.IDTokenClaims, which return claims")
		}
	}
	return nil
}
