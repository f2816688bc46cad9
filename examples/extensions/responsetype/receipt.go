// Package responsetype adds a word to response_type with the exported names of the
// library alone: response_type "code receipt" returns a code and a signed receipt of the
// scopes that the user allowed. The receipt contains a hash of the code, so that neither
// can be replaced on the way.
package responsetype

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// Receipt is the word.
const Receipt oauthkit.ResponseType = "receipt"

// Receipts is the extension. It signs receipts with Key, which applications that check
// them know too.
type Receipts struct{ Key []byte }

// Extend implements [oauthkit.Extension].
func (r Receipts) Extend(registry *oauthkit.Registry) error {
	registry.Responder(r)
	return nil
}

// ResponseType implements [oauthkit.Responder].
func (r Receipts) ResponseType() oauthkit.ResponseType { return Receipt }

// ValidateAuthorize implements [oauthkit.Responder]. A receipt is about scopes.
func (r Receipts) ValidateAuthorize(request *oauthkit.AuthorizeRequest) error {
	if len(request.Scopes) == 0 {
		return oauthkit.Errorf(oauthkit.InvalidScope, "a receipt needs a scope")
	}
	return nil
}

// Respond implements [oauthkit.Responder]. The code is in the answer already, because
// responders are called in a fixed order.
func (r Receipts) Respond(_ context.Context, request *oauthkit.AuthorizeRequest, answer *oauthkit.AuthorizeAnswer) error {
	text, err := json.Marshal(Statement{
		ClientID: request.Application.GetID(),
		Subject:  answer.Approval.Authorization.Subject,
		Scopes:   answer.Approval.Authorization.Scopes,
		CodeHash: hash(answer.Parameters.Get("code")),
	})
	if err != nil {
		return err
	}
	answer.Parameters.Set("receipt", encode(text)+"."+encode(r.sign(text)))
	return nil
}

// Statement is the content of a receipt.
type Statement struct {
	ClientID string          `json:"client_id"`
	Subject  string          `json:"sub"`
	Scopes   oauthkit.Scopes `json:"scopes"`
	CodeHash string          `json:"c_hash"`
}

// Verify returns the content of a receipt that came together with code.
func (r Receipts) Verify(receipt, code string) (*Statement, error) {
	encoded, signature, _ := strings.Cut(receipt, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !hmac.Equal([]byte(signature), []byte(encode(r.sign(text)))) {
		return nil, errors.New("the signature of the receipt is wrong")
	}
	statement := &Statement{}
	if err := json.Unmarshal(text, statement); err != nil {
		return nil, err
	}
	if statement.CodeHash != hash(code) {
		return nil, errors.New("the receipt is for another code")
	}
	return statement, nil
}

func (r Receipts) sign(text []byte) []byte {
	mac := hmac.New(sha256.New, r.Key)
	mac.Write(text)
	return mac.Sum(nil)
}

func hash(code string) string {
	sum := sha256.Sum256([]byte(code))
	return encode(sum[:])
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
