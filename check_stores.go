package oauthkit

import (
	"context"
	"fmt"
)

// Placed is a store that can tell where it keeps what is issued.
type Placed interface {
	// Place returns the same text for all stores that share their tables, and another one for those that do not. Empty: it cannot tell.
	Place(ctx context.Context) (string, error)
}

// StoreUser is a [Grant] or an [Extension] that was given a store of its own.
type StoreUser interface {
	// Store returns it. [Provider.Check] asks it where it is, if it is [Placed].
	Store() any
}

// checkStores looks for a part that keeps what it issues elsewhere than the provider's store does, where the other parts will not find
// it: each act, such as redeeming a code for tokens, has to be one transaction.
func (p *Provider) checkStores(ctx context.Context) []Finding {
	here, err := placeOf(ctx, p.store)
	if err != nil {
		return []Finding{storeFailed("where it keeps what is issued", err)}
	}
	var findings []Finding
	for _, part := range p.parts() {
		user, ok := part.(StoreUser)
		if !ok {
			continue
		}
		place, err := placeOf(ctx, user.Store())
		switch {
		case err != nil:
			findings = append(findings, storeFailed("where it keeps what is issued", err))
		case place != "" && here != "" && place != here:
			findings = append(findings, Finding{
				ID: "oauthkit.E003", Severity: SeverityError,
				Message: fmt.Sprintf("%T was given a store that keeps to other tables than the provider's", part),
				Hint:    "Give the same store to oauthkit.New, to the grants and to the extensions",
			})
		}
	}
	return findings
}

func placeOf(ctx context.Context, store any) (string, error) {
	if placed, ok := store.(Placed); ok {
		return placed.Place(ctx)
	}
	return "", nil
}
