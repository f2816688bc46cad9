package oauthhttp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// TestMetadataNamesLanguages checks ui_locales_supported (RFC 8414 §2): the
// languages of the pages, with the host's, and none if the pages are not served.
func TestMetadataNamesLanguages(t *testing.T) {
	french := map[string]oauthhttp.Texts{"fr": {"consent.title": "Autorisation"}}
	for name, test := range map[string]struct {
		config oauthhttp.Config
		want   []string
	}{
		"the library's":  {oauthhttp.Config{}, []string{"en", "de"}},
		"and the host's": {oauthhttp.Config{Texts: french}, []string{"en", "de", "fr"}},
		"without pages":  {oauthhttp.Config{Groups: []oauthhttp.Group{oauthhttp.GroupMetadata}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			newPages(t, test.config).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/.well-known/oauth-authorization-server", nil))
			var document struct {
				Issuer    string   `json:"issuer"`
				Languages []string `json:"ui_locales_supported"`
			}
			if err := json.Unmarshal(recorder.Body.Bytes(), &document); err != nil || document.Issuer == "" || !slices.Equal(document.Languages, test.want) {
				t.Errorf("got %s, %v; want the languages %q", recorder.Body, err, test.want)
			}
		})
	}
}
