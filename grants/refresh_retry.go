package grants

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file is the retry: a refresh whose answer was lost on the way is repeated with the token that
// is now used up. The answer was sealed with a key derived from that token and Config.Secret, so that
// the store cannot read it. Every repeat hands out the same successor, never a second one.

const sealPurpose = "oauthkit refresh token retry"

// maxRepeats is how often one token can be repeated. A client that retries does so a few times.
const maxRepeats = 5

// unopenedLeeway is how long after its window a repeat is no replay yet if its answer cannot be opened,
// so that the store cannot be asked: the clock of the store may be another one.
const unopenedLeeway = time.Minute

// question is what a refresh asked for, in one spelling: sorted, without what is empty or repeated.
type question struct {
	Scope     string   `json:",omitempty"`
	Resources []string `json:",omitempty"`
}

func questionOf(form url.Values) question {
	resources := slices.DeleteFunc(slices.Clone(form["resource"]), func(resource string) bool { return resource == "" })
	slices.Sort(resources)
	return question{Scope: sortedWords(form.Get("scope")), Resources: slices.Compact(resources)}
}

func sortedWords(text string) string {
	if text == "" {
		return ""
	}
	words := strings.Fields(text)
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

func (q question) same(other question) bool {
	return q.Scope == other.Scope && slices.Equal(q.Resources, other.Resources)
}

// sealedResponse is what is kept of an answer.
type sealedResponse struct {
	Response  *oauthkit.TokenResponse
	ExpiresAt time.Time // of the access token
	Question  question
}

// seal returns nil if no retry is allowed.
func (g *refreshToken) seal(request *oauthkit.TokenRequest, value, hash string, response *oauthkit.TokenResponse) ([]byte, error) {
	if g.window <= 0 {
		return nil, nil
	}
	text, err := json.Marshal(sealedResponse{
		Response:  response,
		ExpiresAt: request.Now.Add(time.Duration(response.ExpiresIn) * time.Second),
		Question:  questionOf(request.Form),
	})
	if err != nil {
		return nil, err
	}
	return secret.Seal(sealKey(request, value), sealPurpose, text, []byte(hash))
}

// sealKey returns the key that only the bearer of the token and the provider have together. The
// token has a fixed length, so no other pair makes the same key.
func sealKey(request *oauthkit.TokenRequest, value string) string { return value + request.Secret() }

func (g *refreshToken) open(request *oauthkit.TokenRequest, value string, token *oauthkit.RefreshToken) (*sealedResponse, error) {
	text, err := secret.Open(sealKey(request, value), sealPurpose, token.Sealed, []byte(token.Hash))
	if err != nil {
		return nil, err
	}
	kept := &sealedResponse{}
	return kept, json.Unmarshal(text, kept)
}

// responseAt returns the answer as it is given at a time.
func (s *sealedResponse) responseAt(now time.Time) *oauthkit.TokenResponse {
	response := *s.Response
	response.ExpiresIn = max(0, min(response.ExpiresIn, int64(s.ExpiresAt.Sub(now)/time.Second)))
	return &response
}

// repeat answers a token that was used before. The store decides whether that is a retry, in the act
// that counts it; otherwise it is a replay.
func (g *refreshToken) repeat(ctx context.Context, request *oauthkit.TokenRequest, value string, token *oauthkit.RefreshToken) (*oauthkit.TokenResponse, error) {
	if g.window <= 0 || len(token.Sealed) == 0 {
		return nil, request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	}
	kept, err := g.open(request, value, token)
	if err != nil { // Config.Secret is another one
		return nil, g.unopened(ctx, request, token, err)
	}
	again := &repetition{store: g.store, request: request, token: token, kept: kept}
	response, err := again.answer(ctx)
	switch {
	case errors.Is(err, oauthkit.ErrReplayed):
		return nil, request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	case errors.Is(err, oauthkit.ErrExhausted):
		request.RecordRefusedRepeat(ctx, token.Authorization, token.Hash)
		return nil, oauthkit.Errorf(oauthkit.InvalidGrant, "the refresh token was used before, and repeated too often")
	case errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrNotFound):
		return nil, notValid("refresh token")
	case again.counted.Token == 0: // the store has failed, or the user is not active
		return nil, orUnavailable(err)
	}
	if shared := request.RecordRepeat(ctx, token.Authorization, token.Hash, again.counted); shared && g.revokeShared {
		return nil, request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	}
	return response, err
}

// unopened answers a repeat whose answer cannot be opened.
func (g *refreshToken) unopened(ctx context.Context, request *oauthkit.TokenRequest, token *oauthkit.RefreshToken, cause error) error {
	if request.Now.Sub(token.ConsumedAt) > g.window+unopenedLeeway {
		return request.RevokeReplayed(ctx, token.Authorization, token.Hash)
	}
	request.RecordRefusedRepeat(ctx, token.Authorization, token.Hash)
	return oauthkit.Errorf(oauthkit.InvalidGrant, "the refresh token was used before").WithCause(cause)
}

// repetition is one repeat of a refresh token.
type repetition struct {
	store   oauthkit.RefreshTokenStore
	request *oauthkit.TokenRequest
	token   *oauthkit.RefreshToken // the presented one
	kept    *sealedResponse
	counted oauthkit.Repeats // zero if it was not counted
}

// answer returns the first answer if the question is the same, and otherwise an access token of its
// own. A question that is not valid is a repeat as well, so that it tells no more than others.
func (r *repetition) answer(ctx context.Context) (*oauthkit.TokenResponse, error) {
	if questionOf(r.request.Form).same(r.kept.Question) {
		return r.request.Reissue(ctx, r.token.Authorization, r.kept.responseAt(r.request.Now), func(ctx context.Context) error {
			return r.save(ctx, nil)
		})
	}
	response, err := r.answerAnother(ctx)
	if code := oauthkit.CodeOf(err); err != nil && (code == oauthkit.InvalidScope || code == oauthkit.InvalidTarget) {
		if refused := r.save(ctx, nil); refused != nil {
			return nil, refused
		}
	}
	return response, err
}

func (r *repetition) answerAnother(ctx context.Context) (*oauthkit.TokenResponse, error) {
	scopes, err := narrowed(r.request, r.token.Authorization)
	if err != nil {
		return nil, err
	}
	return r.request.Issue(ctx, &oauthkit.Issuance{
		Authorization: r.token.Authorization,
		Scopes:        scopes,
		RefreshToken:  r.kept.Response.RefreshToken,
		Save: func(ctx context.Context, tokens oauthkit.Tokens, _ *oauthkit.TokenResponse) error {
			return r.save(ctx, tokens.Access)
		},
	})
}

func (r *repetition) save(ctx context.Context, access *oauthkit.AccessToken) (err error) {
	r.counted, err = r.store.RepeatRefreshToken(ctx, oauthkit.Repeat{
		Hash: r.token.Hash, Successor: secret.Hash(r.kept.Response.RefreshToken), Access: access,
		Limit: maxRepeats, Now: r.request.Clock(),
	})
	return err
}
