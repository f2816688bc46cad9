package gormstore

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// dialect is a kind of database.
type dialect struct {
	name string
	syntax
	catalogue
	variants
	tokenActs
	approvalActs
	locks
}

// syntax is how statements and times are written.
type syntax interface {
	// translate returns a statement, in which arguments have names still, with other
	// words and locks than those of PostgreSQL.
	translate(statement string) string
	// argument is followed by the number of an argument.
	argument() string
	// stamp returns a time as it is stored.
	stamp(t time.Time) any
	// transactionOptions are those of every transaction.
	transactionOptions() []*sql.TxOptions
}

// catalogue is how a database describes itself.
type catalogue struct {
	migrations []migration // the versions of the schema, in their order
	// hasMigrations returns whether the table of versions exists.
	hasMigrations string
	// applicationColumns returns the columns of the table of applications, and
	// applicationIndices its indices that can be used.
	applicationColumns, applicationIndices string
	// uniqueKeys returns the unique keys of the table @name, each as its columns in
	// alphabetical order, separated by spaces.
	uniqueKeys string
	// identity returns a text that no other database, or set of tables in one, has. It is
	// empty if there is none.
	identity string
	// checkSettings reports settings with which the store does not work, or works
	// worse. The place names the database.
	checkSettings func(ctx context.Context, d *database, place string) ([]oauthkit.Finding, error)
}

// variants are the statements that the databases write differently, for the same
// arguments.
type variants struct {
	userAuthorizations string
	// revokeListed revokes the Authorizations whose ids are in @ids.
	revokeListed string
	// sealedOver are the refresh tokens with something sealed whose retry window is
	// over at the time @before.
	sealedOver string
}

// tokenActs are acts that package oauthkit describes.
type tokenActs interface {
	saveTokens(ctx context.Context, d *database, a arguments) error
	// consume consumes the credential @hash and saves tokens for its Authorization.
	consume(ctx context.Context, d *database, kind consumable, a arguments) error
	repeatRefreshToken(ctx context.Context, d *database, repeat oauthkit.Repeat) (oauthkit.Repeats, error)
	// revokeAuthorization revokes the Authorization @id, and saves notices about it if
	// the arguments have any.
	revokeAuthorization(ctx context.Context, d *database, a arguments) (changed bool, err error)
	// revokeListedAndNote revokes the Authorizations @ids, and saves a notice about
	// everything of their users at their applications. It returns their number.
	revokeListedAndNote(ctx context.Context, d *database, a arguments) (rows int, err error)
}

// approvalActs are acts that package oauthkit describes.
type approvalActs interface {
	// saveApproval consumes the Interaction @hash, and returns the id of the consent.
	saveApproval(ctx context.Context, d *database, use oauthkit.ConsentUse, a arguments) (consentID string, err error)
	saveInteraction(ctx context.Context, d *database, interaction *oauthkit.Interaction, limit int) error
}

// locks keep other transactions and instances out.
type locks interface {
	// migrate executes the migrations that are due, one instance at a time.
	migrate(ctx context.Context, u *upgrade) error
	// underLock executes change in a transaction that holds the lock of the scopes.
	underLock(ctx context.Context, d *database, change func(tx *gorm.DB) error) error
	// lockOwner holds a lock of the owner until tx ends.
	lockOwner(ctx context.Context, d *database, tx gorm.ConnPool, owner string) error
	// awaitActs waits until every act has ended that began before the call and may
	// insert an Authorization. It calls renew from time to time.
	awaitActs(ctx context.Context, d *database, renew func() error) error
}
