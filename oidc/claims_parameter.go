package oidc

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// paramClaims is the key of the requested claims in Authorization.Params.
const paramClaims = "claims"

// maxKeptClaims limits the requested claims in an Authorization, in bytes.
const maxKeptClaims = 2 << 10

// RequestedClaim is a request for one claim (§5.5.1). The host may leave out a claim
// whose value is not one of those requested.
type RequestedClaim struct {
	// Essential means that the client needs the claim. It may still be left out.
	Essential bool `json:"essential,omitempty"`
	// Value is the requested value, and Values are several of them. If nil, any is fine.
	Value  any   `json:"value,omitempty"`
	Values []any `json:"values,omitempty"`
}

// requestedClaims is the claims parameter (§5.5). A claim without conditions is nil.
type requestedClaims struct {
	UserInfo map[string]*RequestedClaim `json:"userinfo,omitempty"`
	IDToken  map[string]*RequestedClaim `json:"id_token,omitempty"`
}

// approvedClaims are the requested claims as an Authorization holds them.
type approvedClaims struct {
	Requested requestedClaims `json:"requested"`
	// Shown are the claims that no requested scope covers. The consent page showed them.
	Shown []string `json:"shown,omitempty"`
}

// parseClaims parses the claims parameter. The result is nil if text is empty.
func parseClaims(text string) (*requestedClaims, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxClaims {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "claims is longer than %d bytes", maxClaims)
	}
	var claims *requestedClaims
	if err := strictjson.Unmarshal([]byte(text), &claims); err != nil || claims == nil {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "claims is not a JSON object as of OpenID Connect Core 5.5").WithCause(err)
	}
	return claims, nil
}

// readClaims reads the claims parameter. If Config.ClaimsParameter is false, a valid
// one is ignored, since support is optional (§5.5).
func (e *Extension) readClaims(request *oauthkit.AuthorizeRequest, text string) error {
	requested, err := parseClaims(text)
	if err != nil || requested == nil || !e.config.ClaimsParameter {
		return err
	}
	if err := requested.readSubject(request); err != nil {
		return err
	}
	if err := requested.readACR(request); err != nil {
		return err
	}
	if err := e.checkRequiredACR(request); err != nil {
		return err
	}
	unknown := func(claim string, _ *RequestedClaim) bool { return isReserved(claim) || !e.config.canReturn(claim) }
	maps.DeleteFunc(requested.UserInfo, unknown)
	maps.DeleteFunc(requested.IDToken, unknown)
	shown := map[string]*RequestedClaim{}
	maps.Copy(shown, requested.UserInfo)
	maps.Copy(shown, requested.IDToken)
	maps.DeleteFunc(shown, func(claim string, _ *RequestedClaim) bool { return isAllowed(claim, request.Scopes) })
	request.Claims = slices.Sorted(maps.Keys(shown))
	if len(requested.UserInfo) == 0 && len(requested.IDToken) == 0 {
		return nil
	}
	document, err := json.Marshal(approvedClaims{Requested: *requested, Shown: request.Claims})
	if err != nil || len(document) > maxKeptClaims {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "claims requests more than fits into %d bytes", maxKeptClaims).WithCause(err)
	}
	request.Params[paramClaims] = string(document)
	return nil
}

// canReturn reports whether the host can return claim, in any language.
func (c *Config) canReturn(claim string) bool {
	name, _, _ := strings.Cut(claim, "#")
	return slices.Contains(c.ClaimNames, claim) || slices.Contains(c.ClaimNames, name)
}

// readSubject reads a request for a certain user (§5.5.1): no other user may answer it.
func (c *requestedClaims) readSubject(request *oauthkit.AuthorizeRequest) error {
	for _, sub := range []*RequestedClaim{c.UserInfo["sub"], c.IDToken["sub"]} {
		if sub == nil || sub.Value == nil && sub.Values == nil {
			continue
		}
		subject, _ := sub.Value.(string)
		if subject == "" || sub.Values != nil || request.Subject != "" && request.Subject != subject {
			return oauthkit.Errorf(oauthkit.InvalidRequest, "claims must request one value of sub, the same everywhere and as in id_token_hint")
		}
		request.Subject = subject
	}
	return nil
}

// readACR reads the essential values of acr (§5.5.1.1): a sign-in of another class
// cannot answer the request. The host's login page reads them from acr_values.
func (c *requestedClaims) readACR(request *oauthkit.AuthorizeRequest) error {
	acr := c.IDToken["acr"]
	if acr == nil || !acr.Essential {
		return nil
	}
	values := acr.Values
	if acr.Value != nil {
		values = append(slices.Clone(values), acr.Value)
	}
	for _, value := range values {
		class, _ := value.(string)
		if class == "" || strings.Contains(class, " ") {
			return oauthkit.Errorf(oauthkit.InvalidRequest, "claims requests a value of acr that is not one")
		}
		request.RequiredACR = append(request.RequiredACR, class)
	}
	if joined := strings.Join(request.RequiredACR, " "); len(joined) > maxACRValues {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "the values of acr in claims are longer than %d bytes", maxACRValues)
	} else if joined != "" {
		request.Form.Set("acr_values", joined)
	}
	return nil
}

// checkRequiredACR returns an error if no sign-in can have a required class, so that no
// user signs in for nothing. Without Config.ACRValues, only the host knows its classes.
func (e *Extension) checkRequiredACR(request *oauthkit.AuthorizeRequest) error {
	supported := func(class string) bool { return slices.Contains(e.config.ACRValues, class) }
	if len(request.RequiredACR) == 0 || len(e.config.ACRValues) == 0 || slices.ContainsFunc(request.RequiredACR, supported) {
		return nil
	}
	return oauthkit.Errorf(oauthkit.UnmetAuthenticationRequirements, "none of the essential values of acr is supported")
}

// approved returns the requested claims of an Authorization.
func (e *Extension) approved(authorization *oauthkit.Authorization) (claims approvedClaims, err error) {
	document := authorization.Params[paramClaims]
	if document == "" || !e.config.ClaimsParameter {
		return claims, nil
	}
	if err := json.Unmarshal([]byte(document), &claims); err != nil {
		return claims, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	return claims, nil
}
