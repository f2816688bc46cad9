package oidc

import (
	"context"
	"fmt"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// Check implements [oauthkit.Checker]. It reports signing keys that are stored in
// clear, and keys that cannot be read.
func (e *Extension) Check(ctx context.Context) []oauthkit.Finding {
	switch {
	case e.keys == nil: // not part of a provider yet
		return nil
	case e.keys.secret == "":
		return []oauthkit.Finding{{
			ID: "oidc.W001", Severity: oauthkit.SeverityWarning,
			Message: "Config.Secret is empty: the private signing keys are stored unencrypted",
			Hint:    "Set it to 32 random bytes, rotate the keys, then remove the unencrypted ones",
		}}
	default:
		return e.checkStoredKeys(ctx)
	}
}

// Store implements [oauthkit.StoreHolder].
func (e *Extension) Store() any { return e.config.Keys }

func (e *Extension) checkStoredKeys(ctx context.Context) []oauthkit.Finding {
	stored, err := e.config.Keys.SigningKeys(ctx)
	if err != nil {
		return []oauthkit.Finding{{
			ID: "oidc.E001", Severity: oauthkit.SeverityError,
			Message: fmt.Sprintf("reading the signing keys: %v", err),
			Hint:    "Check that the database is reachable and that its migrations have run",
		}}
	}
	var accepted, refused []string
	for _, key := range stored {
		switch {
		case isRefused(key, e.keys.secret, e.config.AcceptClearKeys):
			refused = append(refused, key.ID)
		case !isSealed(key.Private):
			accepted = append(accepted, key.ID)
		}
	}
	var findings []oauthkit.Finding
	if len(accepted) > 0 {
		findings = append(findings, oauthkit.Finding{
			ID: "oidc.W002", Severity: oauthkit.SeverityWarning,
			Message: "signing keys listed in AcceptClearKeys are stored unencrypted: " + strings.Join(accepted, ", "),
			Hint:    "Rotate the keys, then remove these keys from the store and from AcceptClearKeys",
		})
	}
	if len(refused) > 0 {
		findings = append(findings, oauthkit.Finding{
			ID: "oidc.W003", Severity: oauthkit.SeverityWarning,
			Message: "signing keys are stored unencrypted and not used, because Config.Secret is set: " + strings.Join(refused, ", "),
			Hint:    "If you created them, list them in oidc.Config.AcceptClearKeys until they are rotated out; otherwise find out how they were added, and remove them",
		})
	}
	return findings
}
