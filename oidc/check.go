package oidc

import (
	"context"
	"fmt"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// Check implements [oauthkit.Checker]: it says whether whoever can read the database can sign ID tokens.
func (e *Extension) Check(ctx context.Context) []oauthkit.Finding {
	switch {
	case e.keys == nil: // it belongs to no provider yet
		return nil
	case e.keys.secret == "":
		return []oauthkit.Finding{{
			ID: "oidc.W001", Severity: oauthkit.SeverityWarning,
			Message: "Config.Secret is empty, so the private signing keys are stored in clear",
			Hint:    "Set it to 32 random bytes, rotate the keys, then remove those in clear",
		}}
	default:
		return e.checkStoredKeys(ctx)
	}
}

// Store implements [oauthkit.StoreUser].
func (e *Extension) Store() any { return e.config.Keys }

func (e *Extension) checkStoredKeys(ctx context.Context) []oauthkit.Finding {
	stored, err := e.config.Keys.SigningKeys(ctx)
	if err != nil {
		return []oauthkit.Finding{{
			ID: "oidc.E001", Severity: oauthkit.SeverityError,
			Message: fmt.Sprintf("the signing keys cannot be read: %v", err),
			Hint:    "See whether the database can be reached and its migrations have run",
		}}
	}
	var unsealed []string
	for _, key := range stored {
		if !isSealed(key.Private) {
			unsealed = append(unsealed, key.ID)
		}
	}
	if len(unsealed) == 0 {
		return nil
	}
	return []oauthkit.Finding{{
		ID: "oidc.W002", Severity: oauthkit.SeverityWarning,
		Message: "signing keys are stored in clear, from before there was a Config.Secret: " + strings.Join(unsealed, ", "),
		Hint:    "Rotate the keys, then remove these",
	}}
}
