package oauthkit

import "context"

// ApplicationManager is what managing applications needs of a store beyond [Store]. Every application that it takes or returns
// is of the host's own type.
type ApplicationManager interface {
	ApplicationStore
	ApplicationModel
	ApplicationWriter
	// ListApplications returns applications in the order of their client_id.
	ListApplications(ctx context.Context, page ApplicationPage) ([]Application, error)
}

// ApplicationModel is the host's type of application, and its rules.
type ApplicationModel interface {
	// NewApplication returns a zero application.
	NewApplication() Application
	// ValidateApplication returns an error that holds [Problems] with everything that is wrong with app.
	ValidateApplication(app Application) error
}

// ApplicationWriter changes what applications there are. What is not valid is refused with an error that holds [Problems], but an
// application that is not usable is updated as it is: whatever the rules have become, it can be switched off.
type ApplicationWriter interface {
	// CreateApplication makes app ready by the store's [ApplicationRules], with a new client_id where it has none, and stores it. It is
	// an error if there is one with its client_id.
	CreateApplication(ctx context.Context, app Application) error
	// UpdateApplication stores app in the place of the one with its client_id, or returns ErrNotFound. It must return ErrConflict where
	// somebody else has changed that one since app was read: what he changed, such as Disabled, would be undone. An app that embeds
	// AbstractApplication and has an UpdatedAt tells by this; one of another type needs a field that does. What an application that
	// is not usable any more has is revoked.
	UpdateApplication(ctx context.Context, app Application) error
	// DeleteApplication removes an application, forgets all consent for it and revokes all that it has, or returns ErrNotFound.
	DeleteApplication(ctx context.Context, clientID string) error
}

// OwnerLimiter is an [ApplicationManager] that counts the applications of an owner in the act that
// creates another. Without it [Applications.Create] counts them first, and parallel requests may exceed
// the limit by a few applications.
type OwnerLimiter interface {
	// CreateApplicationWithin does the same as CreateApplication if the owner of app, as GetUserID
	// returns it, has fewer than limit applications. Otherwise it returns [ErrTooMany] and changes
	// nothing. Parallel calls, also by other instances, must not exceed the limit together. An app
	// without an owner is not limited.
	CreateApplicationWithin(ctx context.Context, app Application, limit int) error
}

// ApplicationPage says which applications ListApplications returns.
type ApplicationPage struct {
	// Owners are whose applications. Nil: everyone's; empty but not nil: nobody's.
	Owners []string
	// After is the last client_id of the page before. Empty: the first page.
	After string
	// Size is the most that is returned. Zero: 100.
	Size int
}
