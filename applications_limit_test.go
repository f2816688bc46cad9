package oauthkit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// unlimited is a store that does not count the applications of an owner itself.
type unlimited struct{ oauthkit.ApplicationManager }

// TestMaxPerOwner registers applications in Go until it is refused, with a store that counts and with
// one that does not.
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

// TestMaxPerOwnerUnknown shows that a store which cannot count does not answer "too many", or create.
func TestMaxPerOwnerUnknown(t *testing.T) {
	s := newCheckScene(t)
	s.store.fails = "ListApplications"
	applications := newApplications(t, s.provider(), unlimited{s.store}, oauthkit.ApplicationsConfig{})
	if _, _, err := applications.Create(t.Context(), user("alice"), goodForm()); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("got %v, want a failure", err)
	}
}

// TestMaxApplicationBytes fills each field with as much as fits, and with one byte more.
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

// TestMaxApplicationBytesBefore shows that the owner of an application that is larger than it may be
// can change it, and make it smaller but not larger.
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
