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
	case len(e.keys.secrets) == 0:
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
	kids := e.keys.sort(stored)
	var findings []oauthkit.Finding
	for _, kind := range []struct {
		id, message, hint string
		kids              []string
	}{
		{
			"oidc.W002", "signing keys listed in AcceptClearKeys are stored unencrypted: ",
			"Rotate the keys, then remove these keys from the store and from AcceptClearKeys", kids.accepted,
		},
		{
			"oidc.W003", "signing keys are stored unencrypted and not used, because Config.Secret is set: ",
			"If you created them, list them in oidc.Config.AcceptClearKeys until they are rotated out; otherwise find out how they were added, and remove them",
			kids.refused,
		},
		{
			"oidc.W004", "signing keys need one of Config.AcceptSecrets, because Config.Secret does not encrypt them yet: ",
			"Keep Config.AcceptSecrets until this finding is gone; Upkeep, which oauthkit.Run calls, encrypts them with Config.Secret", kids.foreign,
		},
		{
			"oidc.W005", "active signing keys belong to a signer that this instance does not have, so it signs with older ones: ",
			"List their signers in oidc.Config.Signers, or call RotateKeys before the older ones end", kids.elsewhere,
		},
	} {
		if len(kind.kids) > 0 {
			findings = append(findings, oauthkit.Finding{
				ID: kind.id, Severity: oauthkit.SeverityWarning, Message: kind.message + strings.Join(kind.kids, ", "), Hint: kind.hint,
			})
		}
	}
	return findings
}

// checkedKeys are the ids of stored keys that need attention.
type checkedKeys struct{ accepted, refused, foreign, elsewhere []string }

func (k *keyring) sort(stored []*oauthkit.SigningKey) checkedKeys {
	var kids checkedKeys
	states := KeyStates(k.usable(stored), k.now())
	for _, key := range stored {
		switch {
		case isRevoked(key):
			continue
		case k.isRefused(key):
			kids.refused = append(kids.refused, key.ID)
		case k.isForeign(key):
			kids.foreign = append(kids.foreign, key.ID)
		case !isSealed(key.Private):
			kids.accepted = append(kids.accepted, key.ID)
		}
		if states[key.ID] == KeyActive && !k.isSigner(key.ID) && !k.holdsPrivate(key) {
			kids.elsewhere = append(kids.elsewhere, key.ID)
		}
	}
	return kids
}
