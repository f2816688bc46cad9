package oauthhttp_test

import (
	"context"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// logoApplication is an application of the host with its own fields.
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
		{Name: "logo", Label: "Logo", Help: "An address.", Kind: oauthkit.FormURL, Value: a.Logo},
		{Name: "agree", Label: "I agree", Kind: oauthkit.FormCheckbox, Value: agree},
	}
}

func (a *logoApplication) SetFormField(name, value string) error {
	switch {
	case name == "agree":
		a.Agree = value == "true"
	case value == "ugly":
		return errors.New("must not be ugly")
	default:
		a.Logo = value
	}
	return nil
}

func (a *logoApplication) Validate(problems *oauthkit.Problems) {
	if !a.Agree {
		problems.Add("agree", "must be accepted")
	}
}

// managed is a provider whose users manage their applications. Requests need no
// network and come from a browser in which alice is signed in.
type managed struct {
	*testing.T
	store        *memstore.Store
	provider     *oauthkit.Provider
	applications *oauthkit.Applications
	handler      http.Handler
	user         *oauthkit.User
	cookie       string
	language     string
}

func newManaged(t *testing.T) *managed {
	t.Helper()
	m := &managed{T: t, store: memstore.New(), user: &oauthkit.User{Subject: "alice"}}
	m.store.NewModel = func() oauthkit.Application { return &logoApplication{} }
	var err error
	m.provider, err = oauthkit.New("https://as.test/o", m.store, oauthkit.Config{
		Grants: grants.Standard(m.store),
		Scopes: oauthkit.StaticScopes{"read": "read your messages", "write": "write messages", "admin": ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.applications, err = oauthkit.NewApplications(m.provider, m.store, oauthkit.ApplicationsConfig{
		Scopes: oauthkit.Scopes{"read", "write"}, SecretOverlap: time.Hour,
		MayRegister: func(_ context.Context, user *oauthkit.User) (bool, error) { return user.Subject != "carol", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	m.handler = m.handlerWith(func(*oauthhttp.Config) {})
	return m
}

// handlerWith returns a handler with a changed Config.
func (m *managed) handlerWith(change func(config *oauthhttp.Config)) *oauthhttp.Handler {
	config := oauthhttp.Config{
		CurrentUser:  func(*http.Request) (*oauthkit.User, error) { return m.user, nil },
		Applications: m.applications, Authorizations: oauthkit.NewAuthorizations(m.provider, m.store),
		LoginURL: "/login",
	}
	change(&config)
	return mustHandler(m, m.provider, config)
}

// add stores an application of alice.
func (m *managed) add(clientID string, change func(app *logoApplication)) {
	m.Helper()
	app := &logoApplication{Agree: true, AbstractApplication: oauthkit.AbstractApplication{
		ClientID: clientID, Name: "Printer", UserID: "alice", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://printer.test/cb"}, Scopes: oauthkit.Scopes{"read"},
	}}
	if change != nil {
		change(app)
	}
	if err := m.store.CreateApplication(m.Context(), app, time.Now()); err != nil {
		m.Fatal(err)
	}
}

// stored returns an application from the store.
func (m *managed) stored(clientID string) *logoApplication {
	m.Helper()
	app, err := m.store.Application(m.Context(), clientID)
	if err != nil {
		m.Fatal(err)
	}
	return app.(*logoApplication)
}

// do sends a request of the browser and expects this status.
func (m *managed) do(status int, method, path, mediaType, body string) *httptest.ResponseRecorder {
	m.Helper()
	request := httptest.NewRequestWithContext(m.Context(), method, "https://as.test"+path, strings.NewReader(body))
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Cookie", m.cookie)
	request.Header.Set("Accept-Language", m.language)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	recorder := httptest.NewRecorder()
	m.handler.ServeHTTP(recorder, request)
	if recorder.Code != status {
		m.Fatalf("%s %s: got %d, want %d: %s", method, path, recorder.Code, status, recorder.Body)
	}
	if set := recorder.Header().Get("Set-Cookie"); set != "" {
		m.cookie, _, _ = strings.Cut(set, ";")
	}
	return recorder
}

// get opens a page and calls checkPage.
func (m *managed) get(path string) string {
	m.Helper()
	page := m.do(http.StatusOK, http.MethodGet, path, "", "").Body.String()
	checkPage(m.T, page)
	return page
}

// post opens the page with a form and submits it with these values.
func (m *managed) post(status int, path string, values url.Values) *httptest.ResponseRecorder {
	m.Helper()
	form := url.Values{"token": {valueOf(m.get(path), "token")}}
	for name, value := range values {
		form[name] = value
	}
	return m.do(status, http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode())
}

// elementsOf returns the elements of a page.
func elementsOf(t *testing.T, page string) []xml.StartElement {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var elements []xml.StartElement
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatal(err)
		}
		if element, ok := token.(xml.StartElement); ok {
			elements = append(elements, element.Copy())
		}
	}
}

func attribute(element xml.StartElement, name string) string {
	for _, attribute := range element.Attr {
		if attribute.Name.Local == name {
			return attribute.Value
		}
	}
	return ""
}

// valueOf returns the value of an input of a page.
func valueOf(page, name string) string {
	_, rest, _ := strings.Cut(page, `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}

// checkPage checks that ids are unique, references lead to ids, each input has a
// label, there is one heading of the first level, and no text is missing.
func checkPage(t *testing.T, page string) {
	t.Helper()
	elements := elementsOf(t, page)
	var ids, labelled []string
	headings := 0
	for _, element := range elements {
		if id := attribute(element, "id"); id != "" {
			if slices.Contains(ids, id) {
				t.Errorf("got id %s twice", id)
			}
			ids = append(ids, id)
		}
		if element.Name.Local == "label" {
			labelled = append(labelled, attribute(element, "for"))
		}
		if element.Name.Local == "h1" {
			headings++
		}
	}
	if headings != 1 {
		t.Errorf("got %d headings of the first level, want one", headings)
	}
	for _, element := range elements {
		references := strings.Fields(attribute(element, "aria-describedby") + " " + attribute(element, "aria-labelledby") + " " + attribute(element, "for"))
		if target, local := strings.CutPrefix(attribute(element, "href"), "#"); local {
			references = append(references, target)
		}
		for _, reference := range references {
			if !slices.Contains(ids, reference) {
				t.Errorf("got a reference to the unknown id %s", reference)
			}
		}
		entered := (element.Name.Local == "input" && attribute(element, "type") != "hidden") || element.Name.Local == "textarea"
		if entered && !slices.Contains(labelled, attribute(element, "id")) {
			t.Errorf("got an input %s without label", attribute(element, "name"))
		}
	}
	for _, key := range []string{">applications.", ">connections."} {
		if strings.Contains(page, key) {
			t.Errorf("got a key in place of a text:\n%s", page)
		}
	}
}
