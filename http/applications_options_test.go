package oauthhttp_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// option returns a field of the form from the options document.
func (m *managed) option(document map[string]any, name string) map[string]any {
	m.Helper()
	for _, field := range document["fields"].([]any) {
		if field := field.(map[string]any); field["name"] == name {
			return field
		}
	}
	m.Fatalf("got %v, want a field %s", document, name)
	return nil
}

// TestApplicationOptions checks that a front end gets everything that it needs to
// build the form, in the language of the request.
func TestApplicationOptions(t *testing.T) {
	m := newManaged(t)
	m.language = "de"
	texts := readTexts(t, "de")
	document := m.json(http.StatusOK, http.MethodGet, "/o/api/application_options", "")
	if document["language"] != "de" || document["may_register"] != true {
		t.Errorf("got %v, want German, for a user who may register", document)
	}
	name, logo, agree := m.option(document, "name"), m.option(document, "logo"), m.option(document, "agree")
	if name["label"] != texts["applications.field.name"] || name["host"] != false || name["kind"] != "text" {
		t.Errorf("got %v, want the library's field in German", name)
	}
	if logo["label"] != "Logo" || logo["help"] != "An address." || logo["host"] != true || logo["kind"] != "url" || agree["kind"] != "checkbox" {
		t.Errorf("got %v and %v, want the host's own fields", logo, agree)
	}
	for field, want := range map[string]string{
		"scopes":      "[map[chosen:false label:read your messages value:read] map[chosen:false label:write messages value:write]]",
		"client_type": fmt.Sprintf("[map[chosen:true label:%s value:confidential] map[chosen:false label:%s value:public]]", texts["applications.client_type.confidential"], texts["applications.client_type.public"]),
		"grant_types": fmt.Sprintf("[map[chosen:true label:%s value:authorization_code] map[chosen:true label:%s value:refresh_token]]", texts["applications.grant_types.authorization_code"], texts["applications.grant_types.refresh_token"]),
	} {
		if got := fmt.Sprint(m.option(document, field)["choices"]); got != want {
			t.Errorf("%s: got %s, want %s", field, got, want)
		}
	}
	m.user = &oauthkit.User{Subject: "carol"}
	if document := m.json(http.StatusOK, http.MethodGet, "/o/api/application_options", ""); document["may_register"] != false {
		t.Errorf("got %v, want may_register to be false for carol", document)
	}
	m.user = nil
	m.json(http.StatusForbidden, http.MethodGet, "/o/api/application_options", "")
}

// TestProblemsInLanguage checks that JSON has the problems in the language of the
// request, like the pages.
func TestProblemsInLanguage(t *testing.T) {
	m := newManaged(t)
	const form = `{"client_type":"confidential","grant_types":["password"],"fields":{"agree":"true"}}`
	want := strings.Replace(readTexts(t, "de")["problem.%s cannot be chosen"], "%s", "password", 1)
	for language, path := range map[string]string{"de": "/o/api/applications", "en": "/o/api/applications?ui_locales=de"} {
		m.language = language
		problems, _ := m.json(http.StatusUnprocessableEntity, http.MethodPost, path, form)["problems"].(map[string]any)
		if got, _ := problems["grant_types"].([]any); !slices.Contains(got, any(want)) {
			t.Errorf("%s: got %v, want %q", path, problems, want)
		}
	}
}

// fieldApplication is an application of the host with one field of any name.
type fieldApplication struct {
	oauthkit.AbstractApplication
	field string
}

func (a *fieldApplication) FormFields() []oauthkit.FormField {
	return []oauthkit.FormField{{Name: a.field, Label: "Its own"}}
}

func (a *fieldApplication) SetFormField(string, string) error { return nil }

// TestHostFieldNames checks that a field of the host is refused if it has the name of
// a library field, and only then.
func TestHostFieldNames(t *testing.T) {
	m := newManaged(t)
	names := map[string]bool{"names": false, "client_jwks": false}
	for _, field := range m.json(http.StatusOK, http.MethodGet, "/o/api/application_options", "")["fields"].([]any) {
		field := field.(map[string]any)
		names[field["name"].(string)] = field["host"] == false
	}
	for name, refused := range names {
		m.store.NewModel = func() oauthkit.Application { return &fieldApplication{field: name} }
		_, err := oauthhttp.NewHandler(m.provider, oauthhttp.Config{Applications: m.applications})
		if (err != nil) != refused {
			t.Errorf("%s: got %v, want an error: %t", name, err, refused)
		}
	}
	if len(names) != 13 {
		t.Errorf("got %d names tried, want those of all fields", len(names))
	}
}

// grantingApplication allows a grant type that is not in its list.
type grantingApplication struct{ logoApplication }

func (a *grantingApplication) AllowsGrant(grant oauth2.GrantType) bool {
	return grant == oauth2.ClientCredentials
}

// TestAllowedGrants checks that an application's page shows the allowed grant types,
// and that its form and JSON have the stored ones.
func TestAllowedGrants(t *testing.T) {
	m := newManaged(t)
	m.store.NewModel = func() oauthkit.Application { return &grantingApplication{} }
	app := &grantingApplication{logoApplication{Agree: true, AbstractApplication: oauthkit.AbstractApplication{
		ClientID: "robot", Name: "Robot", UserID: "alice", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, RedirectURIs: oauthkit.URIs{"https://robot.test/cb"}, Scopes: oauthkit.Scopes{"read"},
	}}}
	app.GenerateSecret()
	if err := m.store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	page, texts := m.get("/o/applications/robot/"), readTexts(t, "en")
	if !strings.Contains(page, texts["applications.grant_types.client_credentials"]) || strings.Contains(page, texts["applications.grant_types.authorization_code"]) {
		t.Errorf("got %s, want the allowed grant types", page)
	}
	form := m.get("/o/applications/robot/update/")
	if !strings.Contains(form, `value="authorization_code" checked`) || strings.Contains(form, `value="client_credentials" checked`) {
		t.Errorf("got %s, want the stored grant types", form)
	}
	if stored := m.json(http.StatusOK, http.MethodGet, "/o/api/applications/robot", "")["grant_types"]; fmt.Sprint(stored) != "[authorization_code]" {
		t.Errorf("got %v in JSON, want the stored grant types", stored)
	}
}
