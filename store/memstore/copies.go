package memstore

import (
	"maps"
	"reflect"
	"slices"

	"github.com/oauthkit/oauthkit"
)

// copyApplication copies the struct that app points to and the lists of its
// AbstractApplication. It copies the host's own fields by assignment.
func copyApplication(app oauthkit.Application) oauthkit.Application {
	value := reflect.ValueOf(app)
	if value.Kind() != reflect.Pointer {
		return app
	}
	pointer := reflect.New(value.Type().Elem())
	pointer.Elem().Set(value.Elem())
	duplicate := pointer.Interface().(oauthkit.Application)
	if abstract := oauthkit.Abstract(duplicate); abstract != nil {
		abstract.GrantTypes = slices.Clone(abstract.GrantTypes)
		abstract.ResponseTypes = slices.Clone(abstract.ResponseTypes)
		abstract.RedirectURIs = slices.Clone(abstract.RedirectURIs)
		abstract.PostLogoutRedirectURIs = slices.Clone(abstract.PostLogoutRedirectURIs)
		abstract.AllowedOrigins = slices.Clone(abstract.AllowedOrigins)
		abstract.Scopes = slices.Clone(abstract.Scopes)
		abstract.Resources = slices.Clone(abstract.Resources)
		abstract.DefaultResources = slices.Clone(abstract.DefaultResources)
		abstract.IDTokenClaims, abstract.OmitIssInErrors = copyValue(abstract.IDTokenClaims), copyValue(abstract.OmitIssInErrors)
		abstract.DefaultMaxAge = copyValue(abstract.DefaultMaxAge)
		if abstract.CIMDExpiresAt != nil {
			expiresAt := *abstract.CIMDExpiresAt
			abstract.CIMDExpiresAt = &expiresAt
		}
		if abstract.PreviousSecretExpiresAt != nil {
			expiresAt := *abstract.PreviousSecretExpiresAt
			abstract.PreviousSecretExpiresAt = &expiresAt
		}
	}
	return duplicate
}

func copyAuthorization(authorization *oauthkit.Authorization) *oauthkit.Authorization {
	duplicate := *authorization
	duplicate.Scopes = slices.Clone(authorization.Scopes)
	duplicate.Resources = slices.Clone(authorization.Resources)
	duplicate.AMR = slices.Clone(authorization.AMR)
	duplicate.Params = maps.Clone(authorization.Params)
	return &duplicate
}

func copyConsent(consent *oauthkit.Consent) *oauthkit.Consent {
	duplicate := *consent
	duplicate.Scopes = slices.Clone(consent.Scopes)
	duplicate.ResourceScopes = maps.Clone(consent.ResourceScopes)
	for resource, scopes := range duplicate.ResourceScopes {
		duplicate.ResourceScopes[resource] = slices.Clone(scopes)
	}
	return &duplicate
}

func copyInteraction(interaction *oauthkit.Interaction) *oauthkit.Interaction {
	duplicate := *interaction
	duplicate.Sealed = slices.Clone(interaction.Sealed)
	return &duplicate
}

// A credential is copied with an Authorization that the caller chooses: the stored
// Authorization when the credential is saved, and a copy of it when the credential is
// returned.

func copyCode(code *oauthkit.AuthorizationCode, authorization *oauthkit.Authorization) *oauthkit.AuthorizationCode {
	duplicate := *code
	duplicate.Authorization = authorization
	return &duplicate
}

func copyAccessToken(token *oauthkit.AccessToken, authorization *oauthkit.Authorization) *oauthkit.AccessToken {
	duplicate := *token
	duplicate.Authorization = authorization
	duplicate.Scopes = slices.Clone(token.Scopes)
	duplicate.Resources = slices.Clone(token.Resources)
	return &duplicate
}

func copyRefreshToken(token *oauthkit.RefreshToken, authorization *oauthkit.Authorization) *oauthkit.RefreshToken {
	duplicate := *token
	duplicate.Authorization = authorization
	duplicate.Sealed = slices.Clone(token.Sealed)
	return &duplicate
}

func copySigningKey(key *oauthkit.SigningKey) *oauthkit.SigningKey {
	duplicate := *key
	duplicate.Private = slices.Clone(key.Private)
	return &duplicate
}

func copyValue[T any](value *T) *T {
	if value == nil {
		return nil
	}
	copied := *value
	return &copied
}
