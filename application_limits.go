package oauthkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// This file limits what the owners of applications can store, in number and in size.

// createWithin stores app unless its owner has too many applications. If the store is no OwnerLimiter,
// parallel requests may exceed the limit by a few.
func (a *Applications) createWithin(ctx context.Context, app Application) (err error) {
	limit := a.config.MaxPerOwner
	limiter, counts := a.store.(OwnerLimiter)
	if counts {
		err = limiter.CreateApplicationWithin(ctx, app, limit)
	} else if err = a.checkOwner(ctx, app.GetUserID(), limit); err == nil {
		err = a.store.CreateApplication(ctx, app)
	}
	if errors.Is(err, ErrTooMany) {
		return Errorf(AccessDenied, "the owner has %d applications, which is the limit", limit).
			WithReason(ReasonTooManyApplications)
	}
	return a.saved(err)
}

// checkOwner returns ErrTooMany if the owner has limit applications.
func (a *Applications) checkOwner(ctx context.Context, owner string, limit int) error {
	if owner == "" {
		return nil
	}
	found, err := a.store.ListApplications(ctx, ApplicationPage{Owners: []string{owner}, Size: limit})
	if err == nil && len(found) >= limit {
		err = ErrTooMany
	}
	return err
}

// checkSize adds a problem at the largest field if the form is larger than it may be, unless the
// application was as large before.
func (a *Applications) checkSize(form ApplicationForm, before int, problems *Problems) {
	if size := form.size(); size <= a.config.MaxApplicationBytes || size <= before {
		return
	}
	lengths := form.lengths()
	largest := slices.MaxFunc(slices.Sorted(maps.Keys(lengths)), func(one, other string) int {
		return cmp.Compare(lengths[one], lengths[other])
	})
	problems.Add(largest, "all fields together must have at most %d bytes; this one has %d",
		a.config.MaxApplicationBytes, lengths[largest])
}

// size returns the number of bytes of all texts.
func (f ApplicationForm) size() (bytes int) {
	for _, length := range f.lengths() {
		bytes += length
	}
	return bytes
}

// lengths returns the number of bytes of each field as a store keeps it, by its name in JSON.
func (f ApplicationForm) lengths() map[string]int {
	grants, _ := f.GrantTypes.Value() // never fails
	lengths := map[string]int{
		"name": len(f.Name), "client_type": len(f.ClientType), "grant_types": len(fmt.Sprint(grants)),
		"redirect_uris": len(f.RedirectURIs.String()), "post_logout_redirect_uris": len(f.PostLogoutRedirectURIs.String()),
		"allowed_origins": len(f.AllowedOrigins.String()), "scopes": len(f.Scopes.String()),
		"token_endpoint_auth_method": len(f.TokenEndpointAuthMethod), "algorithm": len(f.Algorithm),
	}
	for name, value := range f.Fields {
		lengths[name] += len(name) + len(value)
	}
	return lengths
}
