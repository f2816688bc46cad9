package oauthhttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// word is an extension with a word of response_type that adds nothing to responses.
type word oauthkit.ResponseType

func (w word) Extend(registry *oauthkit.Registry) error {
	registry.Responder(w)
	return nil
}

func (w word) ResponseType() oauthkit.ResponseType { return oauthkit.ResponseType(w) }

func (w word) ValidateAuthorize(*oauthkit.AuthorizeRequest) error { return nil }

func (w word) Respond(context.Context, *oauthkit.AuthorizeRequest, *oauthkit.AuthorizeAnswer) error {
	return nil
}

// supporting replaces the provider by one that supports the response types.
func (m *managed) supporting(types ...oauthkit.ResponseType) *managed {
	m.Helper()
	var err error
	m.provider, err = oauthkit.New("https://as.test/o", m.store, oauthkit.Config{
		Grants: grants.Standard(m.store), Extensions: []oauthkit.Extension{word("id_token"), word("token")},
		Scopes: oauthkit.StaticScopes{"read": "read your messages"}, ResponseTypes: types,
	})
	if err != nil {
		m.Fatal(err)
	}
	m.applications, err = oauthkit.NewApplications(m.provider, m.store, oauthkit.ApplicationsConfig{Scopes: oauthkit.Scopes{"read"}})
	if err != nil {
		m.Fatal(err)
	}
	m.handler = m.handlerWith(func(*oauthhttp.Config) {})
	return m
}

// TestResponseTypesOnForm checks that the form has the response types only if there is
// another than code, and keeps one that the operator chose.
func TestResponseTypesOnForm(t *testing.T) {
	for _, tc := range []struct {
		name      string
		supported []oauthkit.ResponseType
		stored    oauthkit.ResponseTypes
		choices   []string // with " checked"
	}{
		{"code alone", []oauthkit.ResponseType{"code"}, nil, nil},
		{"code alone, stored", []oauthkit.ResponseType{"code"}, oauthkit.ResponseTypes{"code"}, nil},
		{"a type that only an operator may choose", []oauthkit.ResponseType{"code", "token"}, nil, nil},
		{"two", []oauthkit.ResponseType{"code", "id_token code"}, nil, []string{"code checked", "code id_token"}},
		{"two, stored", []oauthkit.ResponseType{"code", "id_token code"}, oauthkit.ResponseTypes{"code id_token"}, []string{"code", "code id_token checked"}},
		{"stored by the operator", []oauthkit.ResponseType{"code", "token"}, oauthkit.ResponseTypes{"token"}, []string{"code", "token checked"}},
		{"stored and not supported", []oauthkit.ResponseType{"code"}, oauthkit.ResponseTypes{"token"}, []string{"code", "token checked"}},
	} {
		m := newManaged(t).supporting(tc.supported...)
		m.add("printer", func(app *logoApplication) { app.ResponseTypes = tc.stored })
		page := m.get("/o/applications/printer/update/")
		var got []string
		for _, element := range elementsOf(t, page) {
			if attribute(element, "name") != "response_types" {
				continue
			}
			choice := attribute(element, "value")
			if strings.Contains(page, `value="`+choice+`" checked`) {
				choice += " checked"
			}
			got = append(got, choice)
		}
		if !slices.Equal(got, tc.choices) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.choices)
		}
	}
}

// TestResponseTypesOfApplication changes response types with the form and in JSON, and
// reads them from the page and in JSON.
func TestResponseTypesOfApplication(t *testing.T) {
	m := newManaged(t).supporting("code", "code id_token", "token")
	m.add("printer", nil)
	const path, api = "/o/applications/printer/", "/o/api/applications/printer"
	read := func() string { return fmt.Sprint(m.json(http.StatusOK, http.MethodGet, api, "")["response_types"]) }
	if got := read(); got != "[]" {
		t.Errorf("got %s, want an empty list", got)
	}
	form := url.Values{
		"name": {"Printer"}, "client_type": {"confidential"}, "redirect_uris": {"https://printer.test/cb"}, "fields.agree": {"true"},
		"response_types": {"id_token code", "code"},
	}
	m.post(http.StatusSeeOther, path+"update/", form)
	if got := read(); got != "[code id_token code]" {
		t.Errorf("got %s after the form, want both with sorted words", got)
	}
	texts := readTexts(t, "en")
	page := m.get(path)
	if !strings.Contains(page, texts["applications.response_types.code id_token"]) || strings.Contains(page, texts["applications.response_types.token"]) {
		t.Errorf("got %s, want the response types that are allowed", page)
	}
	document := m.json(http.StatusOK, http.MethodGet, api, "")
	put := func(status int, types ...string) map[string]any {
		document["response_types"] = types
		body, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		return m.json(status, http.MethodPut, api, string(body))
	}
	problems := put(http.StatusUnprocessableEntity, "token")["problems"]
	if got := fmt.Sprint(problems); got != "map[response_types:[token cannot be chosen]]" {
		t.Errorf("got %s, want the problem", got)
	}
	put(http.StatusBadRequest, make([]string, 101)...)
	put(http.StatusOK, "id_token code")
	if got := read(); got != "[code id_token]" {
		t.Errorf("got %s after JSON, want the one, with sorted words", got)
	}
	choices := fmt.Sprint(m.option(m.json(http.StatusOK, http.MethodGet, "/o/api/application_options", ""), "response_types")["choices"])
	if want := fmt.Sprintf("[map[chosen:true label:%s value:code] map[chosen:false label:%s value:code id_token]]",
		texts["applications.response_types.code"], texts["applications.response_types.code id_token"]); choices != want {
		t.Errorf("got options %s, want %s", choices, want)
	}
}
