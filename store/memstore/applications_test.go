package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// logoApplication is the host's type, with its own fields and rule.
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

// managed is a provider with an Applications.
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

// TestApplicationsLife registers, changes and deletes an application of the host's type.
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
	renewed, err := m.applications.RotateSecret(t.Context(), &oauthkit.User{Subject: "alice"}, app.ClientID, 2*time.Hour)
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
		oauthkit.ApplicationCreated{ClientID: app.ClientID, By: "alice"},
		oauthkit.ApplicationUpdated{ClientID: app.ClientID, By: "alice", Changed: []string{"Logo", "name"}},
		oauthkit.SecretRotated{ClientID: app.ClientID, By: "alice"},
		oauthkit.ApplicationDeleted{ClientID: app.ClientID, By: "alice"},
	}
	if !reflect.DeepEqual(m.events, want) {
		t.Errorf("got %+v observed, want %+v", m.events, want)
	}
}

// TestM01_ApplicationsOfOthers shows that applications which a user may not manage are
// not found.
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

// TestOwned tests ApplicationsConfig.Owned with a team and staff.
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

// generousStore lists applications of all owners, like a store with a wrong column of
// owners.
type generousStore struct{ *memstore.Store }

func (s generousStore) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	page.Owners = nil
	return s.Store.ListApplications(ctx, page)
}

// TestM01_ListOfGenerousStore shows that GetUserID of the applications decides which
// ones are listed.
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

// TestM08_ChoicesOfOwners shows that all problems of a form are returned at once,
// including choices that owners may not make.
func TestM08_ChoicesOfOwners(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	form := goodForm()
	form.GrantTypes = append(form.GrantTypes, oauth2.ClientCredentials)
	form.Scopes = append(form.Scopes, "admin")
	form.TokenEndpointAuthMethod = oauthkit.AuthMethodPrivateKeyJWT
	form.RedirectURIs = oauthkit.URIs{"http://rp.test/cb"}
	form.Fields = map[string]string{"logo": "ugly"}
	_, _, err := m.applications.Create(t.Context(), user("alice"), form)
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	for _, field := range []string{"grant_types", "scopes", "token_endpoint_auth_method", "redirect_uris", "logo", "agree"} {
		if len(problems.Of(field)) != 1 {
			t.Errorf("got %v for %s, want one problem", problems.Of(field), field)
		}
	}
	if apps, err := m.applications.List(t.Context(), &oauthkit.User{Subject: "alice"}, ""); err != nil || len(apps) != 0 {
		t.Errorf("got %v, %v; want nothing stored", apps, err)
	}

	operated, _ := m.create("alice")
	operated.Scopes, operated.SkipAuthorization = oauthkit.Scopes{"openid", "admin"}, true
	if err := m.store.UpdateApplication(t.Context(), operated, time.Now()); err != nil {
		t.Fatal(err)
	}
	form = oauthkit.FormOf(operated)
	form.AllowedOrigins = oauthkit.URIs{"https://rp.test"}
	updated, err := m.applications.Update(t.Context(), &oauthkit.User{Subject: "alice"}, operated.ClientID, form)
	if err != nil || !updated.AllowsScope("admin") || !oauthkit.SkipsConsent(updated) {
		t.Errorf("got %+v, %v; want the choices of the operator kept", updated, err)
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

// TestT21_NewSecretEndsAll shows that generating or importing a secret revokes the
// previous ones at once, as needed after a leak.
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

// TestM08_TrustOfAnotherName shows that a trusted application loses trust when its
// owner changes its identity.
func TestM08_TrustOfAnotherName(t *testing.T) {
	for name, change := range map[string]func(*oauthkit.ApplicationForm){
		"name":    func(form *oauthkit.ApplicationForm) { form.Name = "The bank" },
		"address": func(form *oauthkit.ApplicationForm) { form.RedirectURIs = oauthkit.URIs{"https://evil.test/cb"} },
		"public":  func(form *oauthkit.ApplicationForm) { form.ClientType = oauthkit.Public },
		"addition": func(form *oauthkit.ApplicationForm) {
			form.RedirectURIs = append(form.RedirectURIs, "https://evil.test/cb")
		},
	} {
		m := newManaged(t, oauthkit.ApplicationsConfig{})
		trusted, _ := m.create("alice")
		trusted.SkipAuthorization, trusted.Verified = true, true
		if err := m.store.UpdateApplication(t.Context(), trusted, time.Now()); err != nil {
			t.Fatal(err)
		}
		form := oauthkit.FormOf(trusted)
		change(&form)
		updated, err := m.applications.Update(t.Context(), user("alice"), trusted.ClientID, form)
		if err != nil || oauthkit.SkipsConsent(updated) || oauthkit.IsVerified(updated) {
			t.Errorf("%s: got %+v, %v; want no trust left", name, updated, err)
		}
	}
}

// TestM08_TrustForMoreScopes shows that users are asked if the owner adds scopes,
// although the application stays verified. Fewer scopes have no effect.
func TestM08_TrustForMoreScopes(t *testing.T) {
	for _, test := range []struct {
		scopes oauthkit.Scopes
		skips  bool
	}{{oauthkit.Scopes{"read"}, true}, {oauthkit.Scopes{"read", "write"}, false}} {
		m := newManaged(t, oauthkit.ApplicationsConfig{Scopes: oauthkit.Scopes{"openid", "read", "write"}})
		trusted, _ := m.create("alice")
		trusted.Scopes, trusted.SkipAuthorization, trusted.Verified = oauthkit.Scopes{"read"}, true, true
		if err := m.store.UpdateApplication(t.Context(), trusted, time.Now()); err != nil {
			t.Fatal(err)
		}
		form := oauthkit.FormOf(trusted)
		form.Scopes = test.scopes
		updated, err := m.applications.Update(t.Context(), user("alice"), trusted.ClientID, form)
		if err != nil || oauthkit.SkipsConsent(updated) != test.skips || !oauthkit.IsVerified(updated) {
			t.Errorf("%q: got %+v, %v; want it verified, and trusted %t", test.scopes, updated, err, test.skips)
		}
	}
}

// callbackApplication has its name and its redirect URI in fields of the host.
type callbackApplication struct {
	oauthkit.AbstractApplication
	Title, Callback string
}

func (a *callbackApplication) DisplayName() string { return a.Title }

func (a *callbackApplication) AllowsRedirectURI(uri string) bool { return uri == a.Callback }

func (a *callbackApplication) RegisteredRedirectURIs() oauthkit.URIs {
	return oauthkit.URIs{a.Callback}
}

func (a *callbackApplication) FormFields() []oauthkit.FormField {
	return []oauthkit.FormField{{Name: "title", Value: a.Title}, {Name: "callback", Value: a.Callback}}
}

func (a *callbackApplication) SetFormField(name, value string) error {
	switch name {
	case "title":
		a.Title = value
	case "callback":
		a.Callback = value
	}
	return nil
}

// TestM08_TrustOfHostFields shows that changing a name or redirect URI in a field of
// the host's type removes trust, and that unchanged fields do not.
func TestM08_TrustOfHostFields(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*oauthkit.ApplicationForm)
		trusted bool
	}{
		"title":    {func(form *oauthkit.ApplicationForm) { form.Fields["title"] = "The bank" }, false},
		"callback": {func(form *oauthkit.ApplicationForm) { form.Fields["callback"] = "https://evil.test/cb" }, false},
		"name":     {func(form *oauthkit.ApplicationForm) { form.Name = "The bank" }, false}, // not shown
		"nothing":  {func(*oauthkit.ApplicationForm) {}, true},
	} {
		m := newManaged(t, oauthkit.ApplicationsConfig{})
		m.store.NewModel = func() oauthkit.Application { return &callbackApplication{} }
		app := &callbackApplication{Title: "Photos", Callback: "https://photos.test/cb"}
		app.ClientID, app.UserID, app.ClientType = "photos", "alice", oauthkit.Public
		app.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode}
		app.SkipAuthorization, app.Verified = true, true
		if err := m.store.CreateApplication(t.Context(), app, time.Now()); err != nil {
			t.Fatal(err)
		}
		form := oauthkit.FormOf(app)
		test.change(&form)
		updated, err := m.applications.Update(t.Context(), user("alice"), app.ClientID, form)
		if err != nil || oauthkit.SkipsConsent(updated) != test.trusted || oauthkit.IsVerified(updated) != test.trusted {
			t.Errorf("%s: got %+v, %v; want trust %v", name, updated, err, test.trusted)
		}
	}
}

// TestM08_SecretOfPublicApplication shows that the secret of an application which
// became public does not work again when it becomes confidential.
func TestM08_SecretOfPublicApplication(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	app, secret := m.create("alice")
	form := oauthkit.FormOf(app)
	for _, form.ClientType = range []oauthkit.ClientType{oauthkit.Public, oauthkit.Confidential} {
		updated, err := m.applications.Update(t.Context(), user("alice"), app.ClientID, form)
		if err != nil || oauthkit.VerifyPassword(updated, secret, m.now) {
			t.Errorf("%s: got %+v, %v; want the secret gone", form.ClientType, updated, err)
		}
	}
}

// switchingOff disables an application once, after it was read.
type switchingOff struct {
	*memstore.Store
	done bool
}

func (s *switchingOff) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	if !s.done {
		s.done = true
		stored, err := s.Store.Application(ctx, app.GetID())
		if err != nil {
			return err
		}
		oauthkit.Abstract(stored).Disabled = true
		if err := s.Store.UpdateApplication(ctx, stored, time.Now()); err != nil {
			return err
		}
	}
	return s.Store.UpdateApplication(ctx, app, time.Now())
}

// TestM05_OperatorsDecisionStays has an owner save an application while the operator
// disables it.
func TestM05_OperatorsDecisionStays(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	app, _ := m.create("alice")
	provider, err := oauthkit.New("https://as.test/o", m.store, oauthkit.Config{Grants: grants.Standard(m.store)})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*oauthkit.Applications) error{
		"Update": func(applications *oauthkit.Applications) error {
			_, err := applications.Update(t.Context(), user("alice"), app.ClientID, oauthkit.FormOf(app))
			return err
		},
		"RotateSecret": func(applications *oauthkit.Applications) error {
			_, err := applications.RotateSecret(t.Context(), user("alice"), app.ClientID, 0)
			return err
		},
	} {
		if err := change(newApplications(t, provider, &switchingOff{Store: m.store}, oauthkit.ApplicationsConfig{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		stored, err := m.store.Application(t.Context(), app.ClientID)
		if err != nil || oauthkit.IsUsable(stored) {
			t.Errorf("%s: got %+v, %v; want it to stay switched off", name, stored, err)
		}
	}
}

// unlimited is a store that is not an OwnerLimiter.
type unlimited struct{ oauthkit.ApplicationManager }

// TestMaxPerOwner registers applications up to the limit, with an OwnerLimiter and
// without.
func TestMaxPerOwner(t *testing.T) {
	for name, wrap := range map[string]func(*memstore.Store) oauthkit.ApplicationManager{
		"counting": func(s *memstore.Store) oauthkit.ApplicationManager { return s },
		"listing":  func(s *memstore.Store) oauthkit.ApplicationManager { return unlimited{s} },
	} {
		for limit, want := range map[int]int{0: 100, 2: 2} {
			t.Run(fmt.Sprintf("%s %d", name, limit), func(t *testing.T) {
				m := newManaged(t, oauthkit.ApplicationsConfig{})
				m.applications = newApplications(t, m.provider, wrap(m.store), oauthkit.ApplicationsConfig{MaxPerOwner: limit})
				for range want {
					m.create("alice")
				}
				_, _, err := m.applications.Create(t.Context(), user("alice"), goodForm())
				if oauthkit.CodeOf(err) != oauthkit.AccessDenied || oauthkit.ReasonOf(err) != oauthkit.ReasonTooManyApplications {
					t.Errorf("got %v, want it refused as one too many", err)
				}
				m.create("bob")
				app := &logoApplication{AbstractApplication: oauthkit.AbstractApplication{UserID: "alice", ClientType: oauthkit.Confidential}, Agree: true}
				if _, err := m.applications.Register(t.Context(), user("operator"), app); err != nil {
					t.Errorf("got %v, want the operator not to be limited", err)
				}
			})
		}
	}
}

// TestMaxPerOwnerUnknown shows that Create fails without ReasonTooManyApplications if
// the store cannot count.
func TestMaxPerOwnerUnknown(t *testing.T) {
	s := newCheckScene(t)
	s.store.fails = "ListApplications"
	applications := newApplications(t, s.provider(), unlimited{s.store}, oauthkit.ApplicationsConfig{})
	if _, _, err := applications.Create(t.Context(), user("alice"), goodForm()); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("got %v, want a failure", err)
	}
}

// TestMaxApplicationBytes fills each field up to the limit, and with one byte more.
func TestMaxApplicationBytes(t *testing.T) {
	for field, fill := range map[string]func(form *oauthkit.ApplicationForm, size int){
		"logo":          func(form *oauthkit.ApplicationForm, size int) { form.Fields["logo"] = strings.Repeat("x", size) },
		"redirect_uris": func(form *oauthkit.ApplicationForm, size int) { form.RedirectURIs = uriOf(size) },
		"post_logout_redirect_uris": func(form *oauthkit.ApplicationForm, size int) {
			form.PostLogoutRedirectURIs = uriOf(size)
		},
	} {
		m := newManaged(t, oauthkit.ApplicationsConfig{MaxApplicationBytes: 1000})
		fits := 0
		for size := 900; size <= 1000; size++ {
			form := goodForm()
			fill(&form, size)
			_, _, err := m.applications.Create(t.Context(), user("alice"), form)
			var problems oauthkit.Problems
			switch {
			case err == nil:
				fits = size
			case !errors.As(err, &problems) || len(problems) != 1 || len(problems.Of(field)) != 1:
				t.Fatalf("%s: got %v, want one problem, at this field", field, err)
			}
		}
		if fits < 900 || fits >= 1000 {
			t.Errorf("%s: got %d bytes accepted, want a bit less than 1000", field, fits)
		}
	}
}

func uriOf(size int) oauthkit.URIs {
	const uri = "https://rp.test/"
	return oauthkit.URIs{uri + strings.Repeat("x", size-len(uri))}
}

// TestMaxApplicationBytesBefore shows that an application above the limit can be
// changed and shrink, but not grow.
func TestMaxApplicationBytesBefore(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	app := &logoApplication{
		AbstractApplication: oauthkit.AbstractApplication{UserID: "alice", ClientType: oauthkit.Confidential},
		Logo:                strings.Repeat("x", 20_000), Agree: true,
	}
	if _, err := m.applications.Register(t.Context(), user("operator"), app); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		size int
		may  bool
	}{{20_000, true}, {20_001, false}, {19_000, true}, {19_500, false}, {100, true}, {16_500, false}} {
		form := oauthkit.FormOf(app)
		form.Fields["logo"] = strings.Repeat("y", step.size)
		_, err := m.applications.Update(t.Context(), user("alice"), app.ClientID, form)
		var problems oauthkit.Problems
		if (err == nil) != step.may || err != nil && !errors.As(err, &problems) {
			t.Errorf("%d bytes: got %v, want it accepted: %t", step.size, err, step.may)
		}
	}
}

// TestNegativeLimits shows that a limit cannot be negative.
func TestNegativeLimits(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	for _, config := range []oauthkit.ApplicationsConfig{{MaxPerOwner: -1}, {MaxApplicationBytes: -1}} {
		if applications, err := oauthkit.NewApplications(m.provider, m.store, config); err == nil || applications != nil {
			t.Errorf("%+v: got no error, want one", config)
		}
	}
}
