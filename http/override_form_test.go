package oauthhttp_test

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

type (
	ownGetSecret   struct{ oauthkit.AbstractApplication }
	ownPassword    struct{ oauthkit.AbstractApplication }
	ownOldPassword struct{ oauthkit.AbstractApplication }
	ownOldUntil    struct{ oauthkit.AbstractApplication }
	ownGenerator   struct{ oauthkit.AbstractApplication }
	ownRotation    struct{ oauthkit.AbstractApplication }
	ownFields      struct {
		oauthkit.AbstractApplication
		Logo string
	}
	ownRules       struct{ oauthkit.AbstractApplication }
	ownURIRules    struct{ oauthkit.AbstractApplication }
	ownOriginRules struct{ oauthkit.AbstractApplication }
)

const hostsSecret = "a-secret-that-the-host-keeps-elsewhere"

func (*ownGetSecret) GetSecret() string                   { return hostsSecret }
func (*ownPassword) VerifyPassword(presented string) bool { return presented == hostsSecret }
func (*ownOldPassword) VerifyPreviousPassword(presented string, _ time.Time) bool {
	return presented == hostsSecret
}

func (*ownOldUntil) PreviousSecretUntil() time.Time {
	return time.Date(2099, time.December, 31, 23, 0, 0, 0, time.UTC)
}

func (a *ownGenerator) GenerateSecret() string {
	a.ImportSecret(hostsSecret)
	return hostsSecret
}

func (a *ownRotation) RotateSecret(time.Time, time.Duration) string {
	a.ImportSecret(hostsSecret)
	return hostsSecret
}

func (a *ownFields) FormFields() []oauthkit.FormField {
	return []oauthkit.FormField{{Name: "logo", Label: "The logo", Value: a.Logo}}
}

func (a *ownFields) SetFormField(_, value string) error {
	a.Logo = value
	if value == "ugly" {
		return errors.New("must not be ugly")
	}
	return nil
}

func (a *ownRules) Validate(problems *oauthkit.Problems) {
	if a.Name == "Forbidden" {
		problems.Add("name", "is forbidden")
	}
}

func (*ownURIRules) ValidateRedirectURI(uri string) error {
	if !strings.HasSuffix(uri, "/own") {
		return errors.New("must end in /own")
	}
	return nil
}

func (*ownURIRules) ValidateOrigin(origin string) error { return oauthkit.CheckOrigin(origin) }

func (*ownOriginRules) ValidateRedirectURI(uri string) error { return oauthkit.CheckRedirectURI(uri) }

func (*ownOriginRules) ValidateOrigin(origin string) error {
	if origin != "https://own.test" {
		return errors.New("must be ours")
	}
	return nil
}

// secretOverrides returns the overrides of an application's secrets.
func secretOverrides() []override {
	return []override{
		overriding[ownGetSecret]("GetSecret", func(o *overridden) { // never asked for a decision
			o.create()
			o.verifies(storedSecret, hostsSecret)
		}),
		overriding[ownPassword]("VerifyPassword", func(o *overridden) {
			o.create(func(app *oauthkit.AbstractApplication) { app.ClientSecret = "" })
			o.verifies(hostsSecret, storedSecret)
			for _, finding := range o.provider.Check(o.Context()) {
				if finding.ID == "oauthkit.W103" {
					o.Errorf("got %v, want none: the host stores the secret", finding)
				}
			}
		}),
		overriding[ownOldPassword]("VerifyPreviousPassword", func(o *overridden) {
			o.create()
			o.verifies(hostsSecret, "something else")
			o.verifies(storedSecret, "something else")
		}),
		overriding[ownOldUntil]("PreviousSecretUntil", func(o *overridden) {
			o.create()
			_, document := o.json(http.MethodGet, "/o/api/applications/web", "")
			o.wants("document", document["previous_secret_expires_at"], "2099-12-31T23:00:00Z")
			if page := o.page("/o/applications/web/"); !strings.Contains(page, "2099") {
				o.Errorf("got %s, want when the previous secret expires", page)
			}
			_, document = o.json(http.MethodPost, "/o/api/applications/web/secret", `{"previous": "end"}`)
			o.wants("document of the new secret", document["previous_secret_expires_at"], "2099-12-31T23:00:00Z")
		}),
		overriding[ownGenerator]("GenerateSecret", func(o *overridden) {
			status, document := o.json(http.MethodPost, "/o/api/applications", newOverriddenJSON)
			o.wants("registering", status, http.StatusCreated)
			o.wants("secret", document["client_secret"], hostsSecret)
			o.wants("secret that is stored", o.stored(document["client_id"].(string)).VerifyPassword(hostsSecret), true)
			app := o.store.NewApplication()
			abstract := oauthkit.Abstract(app)
			abstract.ClientType, abstract.GrantTypes = oauthkit.Confidential, oauthkit.GrantTypes{oauth2.ClientCredentials}
			secret, err := o.applications.Register(o.Context(), &oauthkit.User{Subject: "operator"}, app)
			if err != nil {
				o.Fatal(err)
			}
			o.wants("secret of one that the operator registers", secret, hostsSecret)
		}),
		overriding[ownRotation]("RotateSecret", func(o *overridden) {
			o.create()
			_, document := o.json(http.MethodPost, "/o/api/applications/web/secret", "{}")
			o.wants("secret", document["client_secret"], hostsSecret)
			o.verifies(hostsSecret, storedSecret)
		}),
	}
}

const newOverriddenJSON = `{"name":"New","client_type":"confidential","redirect_uris":["https://rp.test/cb"]}`

// verifies checks at every endpoint with client authentication which secret is valid.
func (o *overridden) verifies(right, wrong string) {
	o.Helper()
	for _, secret := range []string{right, wrong} {
		want := http.StatusOK
		if secret == wrong {
			want = http.StatusUnauthorized
		}
		status, _ := o.actsForItself(secret)
		o.wants("token with "+secret, status, want)
		status, _ = o.post("introspect", secret, values([]string{"token", "x"}))
		o.wants("introspection with "+secret, status, want)
	}
}

// formOverrides returns the overrides of fields and rules.
func formOverrides() []override {
	return []override{
		overriding[ownFields]("FormFields", showFields),
		overriding[ownFields]("SetFormField", showFields),
		overriding[ownRules]("Validate", func(o *overridden) {
			o.showRules("name", func(app *oauthkit.AbstractApplication) { app.Name = "Forbidden" })
		}),
		overriding[ownURIRules]("ValidateRedirectURI", func(o *overridden) {
			listed := func(app *oauthkit.AbstractApplication) { app.RedirectURIs = oauthkit.URIs{"https://rp.test/cb"} }
			o.showRules("redirect_uris", listed, func(app *oauthkit.AbstractApplication) { app.RedirectURIs = oauthkit.URIs{"https://rp.test/own"} })
			o.wants("authorize", o.authorize("redirect_uri", "https://other.test/own").Code, http.StatusBadRequest)
		}),
		overriding[ownOriginRules]("ValidateOrigin", func(o *overridden) {
			o.showRules("allowed_origins", func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = oauthkit.URIs{"https://spa.test"} })
		}),
	}
}

func showFields(o *overridden) {
	o.create()
	form := o.page("/o/applications/web/update/")
	if !strings.Contains(form, "The logo") || !strings.Contains(form, `name="fields.logo"`) {
		o.Errorf("got %s, want the host's field", form)
	}
	const document = `{"name":"Web","client_type":"confidential","redirect_uris":["https://rp.test/cb"],"scopes":["read"],"fields":{"logo":"%"}}`
	_, problems := o.json(http.MethodPut, "/o/api/applications/web", strings.Replace(document, "%", "ugly", 1))
	if found, _ := problems["problems"].(map[string]any); found["logo"] == nil {
		o.Errorf("got %v, want a problem of the host's field", problems)
	}
	_, changed := o.json(http.MethodPut, "/o/api/applications/web", strings.Replace(document, "%", "nice", 1))
	if fields, _ := changed["fields"].(map[string]any); fields["logo"] != "nice" {
		o.Errorf("got %v, want the host's field changed", changed)
	}
}

// showRules checks that an invalid application is neither created nor updated, by the
// store or by its owner.
func (o *overridden) showRules(field string, fault func(*oauthkit.AbstractApplication), corrections ...func(*oauthkit.AbstractApplication)) {
	o.Helper()
	o.wantsProblem("creating", field, o.tryCreate(fault))
	o.create(corrections...)
	app, err := o.store.Application(o.Context(), "web")
	if err != nil {
		o.Fatal(err)
	}
	fault(oauthkit.Abstract(app))
	o.wantsProblem("changing", field, o.store.UpdateApplication(o.Context(), app, time.Now()))
	_, err = o.applications.Update(o.Context(), &oauthkit.User{Subject: "alice"}, "web", oauthkit.FormOf(app))
	o.wantsProblem("changing by the owner", field, err)
}

func (o *overridden) wantsProblem(doing, field string, err error) {
	o.Helper()
	var problems oauthkit.Problems
	if !errors.As(err, &problems) || problems.Of(field) == nil {
		o.Errorf("%s: got %v, want a problem of %s", doing, err, field)
	}
}
