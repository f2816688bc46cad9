package oauthkit_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// logoApplication is a host's application with fields and a rule of its own.
type logoApplication struct {
	oauthkit.AbstractApplication
	Logo  string
	Agree bool
}

func (a *logoApplication) FormFields() []oauthkit.FormField {
	agree := ""
	if a.Agree {
		agree = "true"
	}
	return []oauthkit.FormField{
		{Name: "logo", Label: "Logo", Kind: oauthkit.FormURL, Value: a.Logo},
		{Name: "agree", Label: "I agree", Kind: oauthkit.FormCheckbox, Value: agree},
	}
}

func (a *logoApplication) SetFormField(name, value string) error {
	switch name {
	case "logo":
		if value == "ugly" {
			return errors.New("must not be ugly")
		}
		a.Logo = value
	case "agree":
		a.Agree = value == "true"
	}
	return nil
}

func (a *logoApplication) Validate(problems *oauthkit.Problems) {
	if !a.Agree {
		problems.Add("agree", "must be accepted")
	}
}

func user(subject string) *oauthkit.User { return &oauthkit.User{Subject: subject} }

// managed is a provider whose users manage their applications.
type managed struct {
	*testing.T
	store        *memstore.Store
	provider     *oauthkit.Provider
	applications *oauthkit.Applications
	events       []oauthkit.Event
	now          time.Time
}

func newManaged(t *testing.T, config oauthkit.ApplicationsConfig) *managed {
	t.Helper()
	m := &managed{T: t, store: memstore.New(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	m.store.NewModel = func() oauthkit.Application { return &logoApplication{} }
	provider, err := oauthkit.New("https://as.test/o", m.store, oauthkit.Config{
		Grants: grants.Standard(m.store),
		Scopes: oauthkit.StaticScopes{"openid": "know who you are", "admin": "change all"},
		Now:    func() time.Time { return m.now },
		Observe: func(_ context.Context, event oauthkit.Event) {
			m.events = append(m.events, event)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.provider, m.applications = provider, newApplications(t, provider, m.store, config)
	return m
}

func newApplications(t *testing.T, provider *oauthkit.Provider, store oauthkit.ApplicationManager, config oauthkit.ApplicationsConfig) *oauthkit.Applications {
	t.Helper()
	applications, err := oauthkit.NewApplications(provider, store, config)
	if err != nil {
		t.Fatal(err)
	}
	return applications
}

func goodForm() oauthkit.ApplicationForm {
	return oauthkit.ApplicationForm{
		Name: "Web", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://rp.test/cb"}, Scopes: oauthkit.Scopes{"openid"},
		Fields: map[string]string{"logo": "https://rp.test/logo.png", "agree": "true"},
	}
}

func (m *managed) create(subject string) (*logoApplication, string) {
	m.Helper()
	app, secret, err := m.applications.Create(m.Context(), user(subject), goodForm())
	if err != nil {
		m.Fatal(err)
	}
	return app.(*logoApplication), secret
}

// TestApplicationsLife is an application from its registration to its end, in the host's own type.
func TestApplicationsLife(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{SecretOverlap: time.Hour})
	app, secret := m.create("alice")
	if app.UserID != "alice" || app.Logo != "https://rp.test/logo.png" || !app.VerifyPassword(secret) {
		t.Errorf("got %+v with secret %q, want alice's, with its logo and secret", app, secret)
	}
	form := oauthkit.FormOf(app)
	form.Name, form.Fields["logo"] = "Renamed", ""
	updated, err := m.applications.Update(t.Context(), &oauthkit.User{Subject: "alice"}, app.ClientID, form)
	if err != nil || oauthkit.DisplayName(updated) != "Renamed" || updated.(*logoApplication).Logo != "" {
		t.Errorf("got %+v, %v; want it renamed and without logo", updated, err)
	}
	renewed, err := m.applications.RotateSecret(t.Context(), &oauthkit.User{Subject: "alice"}, app.ClientID, 2*time.Hour) // more than may be
	if err != nil || renewed == secret {
		t.Fatalf("got %q, %v; want a new secret", renewed, err)
	}
	found, err := m.applications.Find(t.Context(), &oauthkit.User{Subject: "alice"}, app.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	for presented, until := range map[string]time.Duration{renewed: 1000 * time.Hour, secret: time.Hour} {
		if !oauthkit.VerifyPassword(found, presented, m.now) || !oauthkit.VerifyPassword(found, presented, m.now.Add(until-1)) {
			t.Errorf("secret %q is not good, want it to be", presented)
		}
	}
	if oauthkit.VerifyPassword(found, secret, m.now.Add(time.Hour)) || oauthkit.VerifyPassword(found, "", m.now) {
		t.Error("the old secret is good after an hour, or an empty one is, want neither")
	}
	if err := m.applications.Delete(t.Context(), &oauthkit.User{Subject: "alice"}, app.ClientID); err != nil {
		t.Error(err)
	}
	if _, err := m.applications.Find(t.Context(), &oauthkit.User{Subject: "alice"}, app.ClientID); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("got %v, want it gone", err)
	}
	want := []oauthkit.Event{
		oauthkit.ApplicationCreated{ApplicationID: app.ClientID, By: "alice"},
		oauthkit.ApplicationUpdated{ApplicationID: app.ClientID, By: "alice", Changed: []string{"Logo", "name"}},
		oauthkit.SecretRotated{ApplicationID: app.ClientID, By: "alice"},
		oauthkit.ApplicationDeleted{ApplicationID: app.ClientID, By: "alice"},
	}
	if !reflect.DeepEqual(m.events, want) {
		t.Errorf("got %+v observed, want %+v", m.events, want)
	}
}

// TestM01_ApplicationsOfOthers do not exist for a user who may not manage them.
func TestM01_ApplicationsOfOthers(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	app, _ := m.create("alice")
	ctx, calls := t.Context(), map[string]func() error{}
	for name, clientID := range map[string]string{"alice's": app.ClientID, "unknown": "nobody", "empty": "", "not text": "\xff"} {
		calls["Find "+name] = func() error { _, err := m.applications.Find(ctx, user("bob"), clientID); return err }
		calls["Update "+name] = func() error { _, err := m.applications.Update(ctx, user("bob"), clientID, goodForm()); return err }
		calls["RotateSecret "+name] = func() error { _, err := m.applications.RotateSecret(ctx, user("bob"), clientID, 0); return err }
		calls["Delete "+name] = func() error { return m.applications.Delete(ctx, user("bob"), clientID) }
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
	if apps, err := m.applications.List(ctx, user("bob"), ""); err != nil || len(apps) != 0 {
		t.Errorf("got %v, %v; want bob to see none", apps, err)
	}
	if apps, err := m.applications.List(ctx, &oauthkit.User{Subject: "alice"}, ""); err != nil || len(apps) != 1 {
		t.Errorf("got %v, %v; want alice to see her own", apps, err)
	}
}

// TestOwned is a host with a team and staff.
func TestOwned(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{Owned: func(_ context.Context, who *oauthkit.User) (oauthkit.Owned, error) {
		switch who.Subject {
		case "staff":
			return oauthkit.Owned{Everyone: true}, nil
		case "bob":
			return oauthkit.Owned{By: []string{"bob", "alice"}}, nil
		case "careless":
			return oauthkit.Owned{By: []string{""}}, nil
		case "failing":
			return oauthkit.Owned{}, errors.New("the directory is down")
		default:
			return oauthkit.Owned{}, nil
		}
	}})
	app, _ := m.create("alice")
	ofNobody, _ := m.create("")
	for _, subject := range []string{"bob", "alice", "careless"} {
		if _, err := m.applications.Find(t.Context(), user(subject), ofNobody.ClientID); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Errorf("%q: got %v for an application without an owner, want ErrNotFound", subject, err)
		}
	}
	for subject, want := range map[string]int{"staff": 2, "bob": 1, "alice": 0, "careless": 0, "": 0} {
		apps, err := m.applications.List(t.Context(), user(subject), "")
		if err != nil || len(apps) != want {
			t.Errorf("%q: got %v, %v; want %d", subject, apps, err, want)
		}
		if _, err := m.applications.Find(t.Context(), user(subject), app.ClientID); (err == nil) != (want > 0) {
			t.Errorf("%q: got %v from Find, want the same as from List", subject, err)
		}
	}
	if _, err := m.applications.List(t.Context(), user("failing"), ""); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("got %v, want temporarily_unavailable", err)
	}
}

// generousStore lists applications of every owner, as one does whose column of owners is wrong.
type generousStore struct{ *memstore.Store }

func (s generousStore) ListApplications(ctx context.Context, page oauthkit.ApplicationPage) ([]oauthkit.Application, error) {
	page.Owners = nil
	return s.Store.ListApplications(ctx, page)
}

// TestM01_ListOfGenerousStore shows that an application's own answer decides which applications are listed.
func TestM01_ListOfGenerousStore(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	m.create("alice")
	bobs, _ := m.create("bob")
	provider, err := oauthkit.New("https://as.test/o", m.store, oauthkit.Config{})
	if err != nil {
		t.Fatal(err)
	}
	applications := newApplications(t, provider, generousStore{m.store}, oauthkit.ApplicationsConfig{})
	apps, err := applications.List(t.Context(), user("bob"), "")
	if err != nil || len(apps) != 1 || apps[0].GetID() != bobs.ClientID {
		t.Errorf("got %v, %v; want bob's application alone", apps, err)
	}
}

// TestM08_ChoicesOfOwners is about what an owner may not choose, and what is wrong with the form: all of it at once.
func TestM08_ChoicesOfOwners(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	form := goodForm()
	form.GrantTypes = append(form.GrantTypes, oauth2.ClientCredentials)
	form.Scopes = append(form.Scopes, "admin")
	form.RedirectURIs = oauthkit.URIs{"http://rp.test/cb"}
	form.Fields = map[string]string{"logo": "ugly"}
	_, _, err := m.applications.Create(t.Context(), user("alice"), form)
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	for _, field := range []string{"grant_types", "scopes", "redirect_uris", "logo", "agree"} {
		if len(problems.Of(field)) != 1 {
			t.Errorf("got %v for %s, want one problem", problems.Of(field), field)
		}
	}
	if apps, err := m.applications.List(t.Context(), &oauthkit.User{Subject: "alice"}, ""); err != nil || len(apps) != 0 {
		t.Errorf("got %v, %v; want nothing stored", apps, err)
	}

	operated, _ := m.create("alice")
	operated.Scopes, operated.SkipAuthorization = oauthkit.Scopes{"openid", "admin"}, true
	if err := m.store.UpdateApplication(t.Context(), operated); err != nil {
		t.Fatal(err)
	}
	form = oauthkit.FormOf(operated)
	form.AllowedOrigins = oauthkit.URIs{"https://rp.test"}
	updated, err := m.applications.Update(t.Context(), &oauthkit.User{Subject: "alice"}, operated.ClientID, form)
	if err != nil || !updated.AllowsScope("admin") || !oauthkit.SkipsConsent(updated) {
		t.Errorf("got %+v, %v; want what the operator allowed to stay", updated, err)
	}
}

func TestMayRegister(t *testing.T) {
	var failure error
	m := newManaged(t, oauthkit.ApplicationsConfig{MayRegister: func(_ context.Context, who *oauthkit.User) (bool, error) {
		return who.Subject == "alice", failure
	}})
	m.create("alice")
	if _, _, err := m.applications.Create(t.Context(), user("bob"), goodForm()); oauthkit.CodeOf(err) != oauthkit.AccessDenied {
		t.Errorf("got %v, want access_denied", err)
	}
	failure = errors.New("the directory is down")
	if _, _, err := m.applications.Create(t.Context(), &oauthkit.User{Subject: "alice"}, goodForm()); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("got %v, want temporarily_unavailable", err)
	}
}

// TestT21_NewSecretEndsAll is for the day on which a secret leaked: a new one that is generated, or imported, leaves no overlap.
func TestT21_NewSecretEndsAll(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, renew := range map[string]func(*oauthkit.AbstractApplication){
		"generated": func(app *oauthkit.AbstractApplication) { app.GenerateSecret() },
		"imported":  func(app *oauthkit.AbstractApplication) { app.ImportSecret("chosen elsewhere, and long") },
		"rotated":   func(app *oauthkit.AbstractApplication) { app.RotateSecret(now, 0) },
	} {
		app := &oauthkit.AbstractApplication{ClientType: oauthkit.Confidential}
		first := app.GenerateSecret()
		second := app.RotateSecret(now, time.Hour)
		if !oauthkit.VerifyPassword(app, first, now) || !oauthkit.VerifyPassword(app, second, now) {
			t.Errorf("%s: got a secret refused in the overlap", name)
		}
		renew(app)
		if oauthkit.VerifyPassword(app, first, now) || oauthkit.VerifyPassword(app, second, now) {
			t.Errorf("%s: got an old secret accepted", name)
		}
	}
}
