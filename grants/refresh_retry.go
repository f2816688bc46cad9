package grants

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file implements retries: a client that did not receive the response to a
// refresh repeats the request with the used token. The response is sealed with a key
// derived from that token and Config.Secret, so that the store cannot read it. Every
// repeat returns the same successor and never a second one.

const sealPurpose = "oauthkit refresh token retry"

// maxRepeats is how often one token can be repeated. A client that retries does so a
// few times.
const maxRepeats = 5

// unreadableLeeway is how long after its window a repeat is not yet a replay if its
// response cannot be decrypted. The store, which cannot be asked then, may have
// another clock.
const unreadableLeeway = time.Minute

// refreshParameters are the parameters of a refresh in a canonical form, sorted and
// without empty and repeated values, and the key that the request proved.
type refreshParameters struct {
	Scope        string                `json:",omitempty"`
	Resources    []string              `json:",omitempty"`
	Confirmation oauthkit.Confirmation `json:",omitzero"`
}

func parametersOf(request *oauthkit.TokenRequest) refreshParameters {
	resources := slices.DeleteFunc(slices.Clone(request.Form["resource"]), func(resource string) bool { return resource == "" })
	slices.Sort(resources)
	return refreshParameters{
		Scope: sortWords(request.Form.Get("scope")), Resources: slices.Compact(resources), Confirmation: request.Confirmation,
	}
}

func sortWords(text string) string {
	if text == "" {
		return ""
	}
	words := strings.Fields(text)
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

func (p refreshParameters) equal(other refreshParameters) bool {
	return p.Scope == other.Scope && slices.Equal(p.Resources, other.Resources) && p.Confirmation == other.Confirmation
}

// sealedResponse is the plaintext of a sealed response.
type sealedResponse struct {
	Response   *oauthkit.TokenResponse
	ExpiresAt  time.Time // of the access token
	Parameters refreshParameters
}

// seal returns the response to a repeat, encrypted. It returns nil if repeats are not
// allowed.
func (g *refreshToken) seal(request *oauthkit.TokenRequest, value, hash string, response *oauthkit.TokenResponse) ([]byte, error) {
	if g.window <= 0 {
		return nil, nil
	}
	text, err := json.Marshal(sealedResponse{
		Response:   response,
		ExpiresAt:  request.Now.Add(time.Duration(response.ExpiresIn) * time.Second),
		Parameters: parametersOf(request),
	})
	if err != nil {
		return nil, err
	}
	return secret.Seal(sealKey(value, request.Secret()), sealPurpose, text, []byte(hash))
}

// sealKey returns the key, which takes both the token and Config.Secret to derive.
// The token has a fixed length, so no other pair yields the same key.
func sealKey(value, configured string) string { return value + configured }

func (g *refreshToken) open(request *oauthkit.TokenRequest, value string, token *oauthkit.RefreshToken) (*sealedResponse, error) {
	text, err := secret.Open(sealKey(value, request.Secret()), sealPurpose, token.Sealed, []byte(token.Hash))
	for _, accepted := range request.AcceptSecrets() {
		if err == nil {
			break
		}
		text, err = secret.Open(sealKey(value, accepted), sealPurpose, token.Sealed, []byte(token.Hash))
	}
	if err != nil {
		return nil, err
	}
	sealed := &sealedResponse{}
	return sealed, json.Unmarshal(text, sealed)
}

// responseAt returns the response with the rest of the lifetime at now.
func (s *sealedResponse) responseAt(now time.Time) *oauthkit.TokenResponse {
	response := *s.Response
	response.ExpiresIn = max(0, min(response.ExpiresIn, int64(s.ExpiresAt.Sub(now)/time.Second)))
	return &response
}

// repeat answers a token that was used before. The store decides, in the act that
// counts the repeat, whether it is a retry; otherwise it is a replay.
func (g *refreshToken) repeat(ctx context.Context, request *oauthkit.TokenRequest, value string, token *oauthkit.RefreshToken) (*oauthkit.TokenResponse, error) {
	if g.window <= 0 || len(token.Sealed) == 0 {
		return nil, request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	}
	sealed, err := g.open(request, value, token)
	if err != nil { // Config.Secret was changed, and AcceptSecrets does not have the former one
		return nil, g.refuseUnreadable(ctx, request, token, err)
	}
	retry := &retry{store: g.store, request: request, token: token, sealed: sealed}
	response, err := retry.respond(ctx)
	switch {
	case errors.Is(err, oauthkit.ErrReplayed):
		return nil, request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	case errors.Is(err, oauthkit.ErrExhausted):
		request.RecordRefusedRepeat(ctx, token.Authorization, token.Hash)
		return nil, oauthkit.Errorf(oauthkit.InvalidGrant, "the refresh token was used before, and repeated too often")
	case errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrNotFound):
		return nil, invalidCredential("refresh token")
	case retry.repeats.Token == 0: // the store failed, or the user is not active
		return nil, requestError(err)
	}
	if shared := request.RecordRepeat(ctx, token.Authorization, token.Hash, retry.repeats); shared && g.revokeShared {
		return nil, request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	}
	return response, err
}

// refuseUnreadable answers a repeat whose sealed response cannot be decrypted.
func (g *refreshToken) refuseUnreadable(ctx context.Context, request *oauthkit.TokenRequest, token *oauthkit.RefreshToken, cause error) error {
	if request.Now.Sub(token.ConsumedAt) > g.window+unreadableLeeway {
		return request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	}
	request.RecordRefusedRepeat(ctx, token.Authorization, token.Hash)
	return oauthkit.Errorf(oauthkit.InvalidGrant, "the refresh token was used before").WithCause(cause)
}

// retry is one repeat of a refresh token.
type retry struct {
	store   oauthkit.RefreshTokenStore
	request *oauthkit.TokenRequest
	token   *oauthkit.RefreshToken // the presented token
	sealed  *sealedResponse
	repeats oauthkit.Repeats // zero if the repeat was not counted
}

// respond returns the first response if the parameters are the same, and otherwise a
// new access token. Invalid parameters, and a key to which the successor is not bound,
// count as a repeat too, so that they reveal no more than valid ones.
func (r *retry) respond(ctx context.Context) (*oauthkit.TokenResponse, error) {
	if parametersOf(r.request).equal(r.sealed.Parameters) {
		return r.request.Reissue(ctx, r.token.Authorization, r.sealed.responseAt(r.request.Now), func(ctx context.Context) error {
			return r.save(ctx, nil)
		})
	}
	if err := r.checkSuccessor(); err != nil {
		return nil, r.refuse(ctx, err)
	}
	response, err := r.issueAccessToken(ctx)
	if code := oauthkit.CodeOf(err); err != nil && (code == oauthkit.InvalidScope || code == oauthkit.InvalidTarget) {
		return nil, r.refuse(ctx, err)
	}
	return response, err
}

// checkSuccessor returns an error if the refresh token in the sealed response is bound
// to another key than that of the request.
func (r *retry) checkSuccessor() error {
	if !r.request.Application.IsPublic() { // its refresh tokens are not bound
		return nil
	}
	return r.request.CheckConfirmation(r.sealed.Parameters.Confirmation)
}

// refuse counts the repeat and returns the refusal, or the error of the store.
func (r *retry) refuse(ctx context.Context, refusal error) error {
	if err := r.save(ctx, nil); err != nil {
		return err
	}
	return refusal
}

func (r *retry) issueAccessToken(ctx context.Context) (*oauthkit.TokenResponse, error) {
	scopes, err := requestedScopes(r.request, r.token.Authorization)
	if err != nil {
		return nil, err
	}
	return r.request.Issue(ctx, &oauthkit.Issuance{
		Authorization: r.token.Authorization,
		Scopes:        scopes,
		RefreshToken:  r.sealed.Response.RefreshToken,
		Save: func(ctx context.Context, tokens oauthkit.Tokens, _ *oauthkit.TokenResponse) error {
			return r.save(ctx, tokens.Access)
		},
	})
}

func (r *retry) save(ctx context.Context, access *oauthkit.AccessToken) (err error) {
	r.repeats, err = r.store.RepeatRefreshToken(ctx, oauthkit.Repeat{
		Hash: r.token.Hash, Successor: secret.Hash(r.sealed.Response.RefreshToken), Access: access,
		Limit: maxRepeats, Now: r.request.Clock(),
	})
	return err
}
