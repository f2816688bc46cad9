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
			Message: "signing keys are stored in clear and accepted by AcceptClearKeys: " + strings.Join(accepted, ", "),
			Hint:    "Rotate the keys, then remove these, also from AcceptClearKeys",
		})
	}
	if len(refused) > 0 {
		findings = append(findings, oauthkit.Finding{
			ID: "oidc.W003", Severity: oauthkit.SeverityWarning,
			Message: "signing keys are stored in clear and not used, because Config.Secret is set: " + strings.Join(refused, ", "),
			Hint:    "If they are yours, list them in AcceptClearKeys of oidc.Config until they are rotated away; otherwise find out how they got there, and remove them",
		})
	}
	return findings
}
