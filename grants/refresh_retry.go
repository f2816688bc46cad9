package grants

import (
	"context"
	"encoding/json"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file is the retry: a refresh whose answer was lost on the way is repeated with the token that is now used up. The
// answer was sealed with a key derived from that token, so that the store, which has only its hash, cannot read it, and
// whoever presents the token again gets the same successor: never a second one.

const sealPurpose = "oauthkit refresh token retry"

// sealedResponse is what is kept of an answer.
type sealedResponse struct {
	Response  *oauthkit.TokenResponse
	ExpiresAt time.Time // of the access token
}

// seal returns nil where no retry is allowed.
func (g *refreshToken) seal(value, hash string, response *oauthkit.TokenResponse) ([]byte, error) {
	if g.window <= 0 {
		return nil, nil
	}
	text, err := json.Marshal(sealedResponse{
		Response:  response,
		ExpiresAt: response.Now.Add(time.Duration(response.ExpiresIn) * time.Second),
	})
	if err != nil {
		return nil, err
	}
	return secret.Seal(value, sealPurpose, text, []byte(hash))
}

// repeat answers a token that was used before: a retry within the window, as long as the successor was not used, gets the
// same answer; anything else is a replay.
func (g *refreshToken) repeat(ctx context.Context, request *oauthkit.TokenRequest, value string, token *oauthkit.RefreshToken) (*oauthkit.TokenResponse, error) {
	if request.Now.Sub(token.ConsumedAt) > g.window || g.window <= 0 || len(token.Sealed) == 0 {
		return nil, request.Replayed(ctx, token.Authorization, token.Hash)
	}
	kept, err := g.open(value, token)
	if err != nil {
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	successor, err := g.store.RefreshToken(ctx, secret.Hash(kept.Response.RefreshToken))
	if err != nil {
		return nil, found(err, "refresh token")
	}
	if !successor.ConsumedAt.IsZero() {
		return nil, request.Replayed(ctx, token.Authorization, token.Hash)
	}
	kept.Response.ExpiresIn = max(0, int64(kept.ExpiresAt.Sub(request.Now)/time.Second))
	return request.Retried(ctx, token.Authorization, kept.Response)
}

func (g *refreshToken) open(value string, token *oauthkit.RefreshToken) (*sealedResponse, error) {
	text, err := secret.Open(value, sealPurpose, token.Sealed, []byte(token.Hash))
	if err != nil {
		return nil, err
	}
	kept := &sealedResponse{}
	return kept, json.Unmarshal(text, kept)
}
