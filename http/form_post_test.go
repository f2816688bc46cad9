package oauthhttp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/http/internal/wire"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// postForm returns the page that posts parameters to redirectURI.
func postForm(t *testing.T, config Config, redirectURI string, parameters url.Values) *httptest.ResponseRecorder {
	t.Helper()
	store := memstore.New()
	err := store.CreateApplication(t.Context(), &oauthkit.AbstractApplication{
		ClientID: "web", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{redirectURI},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := NewHandler(provider, config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := provider.NewAuthorizeRequest(t.Context(), url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {redirectURI}, "ui_locales": {"de"},
		"code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"},
	})
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	wire.SetSecurityHeaders(recorder.Header()) // as for every endpoint
	if err := handler.writeFormPost(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/authorize", nil), request, parameters); err != nil {
		t.Fatal(err)
	}
	return recorder
}

var (
	scriptElement = regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`)
	formElement   = regexp.MustCompile(`(?s)<form method="post" action="[^"]*">.*</form>`)
)

// readPostForm returns the action and the fields of the page's form, as a parser of XML
// reads them.
func readPostForm(t *testing.T, page string) (action string, fields [][2]string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(formElement.FindString(page)))
	decoder.Strict = false
	decoder.AutoClose = xml.HTMLAutoClose
	for token, err := decoder.Token(); err == nil; token, err = decoder.Token() {
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attributes := map[string]string{}
		for _, attribute := range element.Attr {
			attributes[attribute.Name.Local] = attribute.Value
		}
		switch element.Name.Local {
		case "form":
			action = attributes["action"]
		case "input":
			fields = append(fields, [2]string{attributes["name"], attributes["value"]})
		}
	}
	return action, fields
}

// TestA09_FormPostPage writes the page with hostile parameters. The browser sends exactly
// them to exactly the redirect URI, and runs only the script of the page.
func TestA09_FormPostPage(t *testing.T) {
	for _, redirectURI := range []string{
		"https://rp.test/cb", "https://rp.test/cb(1)/it's?a=b&amp;c&d=%22%3C", "http://127.0.0.1:8080/cb", "http://[::1]/cb?x=1&y=2",
	} {
		hostile := url.Values{
			"state": {`"><script>alert(1)</script>`, `' onfocus='alert(1)`, "{{.Action}} &lt; \n\t\u2028 </form>"},
			"code":  {"a+b/c=="}, "iss": {"https://as.test/o"},
			`"><b>`: {"javascript:alert(1)"},
		}
		page := postForm(t, Config{}, redirectURI, hostile)
		body := page.Body.String()
		action, fields := readPostForm(t, body)
		if action != redirectURI || !strings.Contains(body, "</html>") {
			t.Errorf("got the action %q, want %q", action, redirectURI)
		}
		want := [][2]string{
			{`"><b>`, "javascript:alert(1)"}, {"code", "a+b/c=="}, {"iss", "https://as.test/o"},
			{"state", hostile["state"][0]}, {"state", hostile["state"][1]}, {"state", hostile["state"][2]},
		}
		if !slices.Equal(fields, want) {
			t.Errorf("got the fields\n%q, want\n%q", fields, want)
		}
		scripts := scriptElement.FindAllStringSubmatch(body, -1)
		if len(scripts) != 1 || scripts[0][1] != "" {
			t.Fatalf("got the scripts %q, want one:\n%s", scripts, body)
		}
		sum := sha256.Sum256([]byte(scripts[0][2]))
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
				"'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action https: http:",
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Content-Type": "text/html; charset=utf-8", "Content-Language": "de",
		} {
			if got := page.Header().Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

// TestFormPostTemplate replaces the page. The script stays the library's.
func TestFormPostTemplate(t *testing.T) {
	template := func(name, text string) Config {
		return Config{Templates: fstest.MapFS{name: {Data: []byte(text)}}}
	}
	page := postForm(t, template("form_post.html", `{{define "content"}}<form method="post" action="{{.Action}}">
{{range .Parameters}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">{{end}}<button>Go on</button>{{template "submit" .}}</form>{{end}}`),
		"https://rp.test/cb", url.Values{"code": {"abc"}})
	scripts := scriptElement.FindAllStringSubmatch(page.Body.String(), -1)
	action, fields := readPostForm(t, page.Body.String())
	if len(scripts) != 1 || !strings.Contains(page.Header().Get("Content-Security-Policy"), hashOfScript(scripts[0][2])) ||
		action != "https://rp.test/cb" || !slices.Equal(fields, [][2]string{{"code", "abc"}}) || !strings.Contains(page.Body.String(), "Go on") {
		t.Errorf("got a page that does not post the response:\n%s", page.Body)
	}
	provider, err := oauthkit.New("https://as.test/o", memstore.New(), oauthkit.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config Config
		want   string
	}{
		"a form for hosts only":  {template("form_post.html", `{{define "content"}}{{with .Host}}<form action="{{$.Action}}"></form>{{end}}{{end}}`), "form_post.html does not show Action"},
		"a page without a form":  {template("form_post.html", `{{define "content"}}x{{end}}`), "form_post.html does not show Action"},
		"another script":         {template("parts.html", `{{define "submit"}}<script>alert(1)</script>{{end}}`), `"submit", which cannot be replaced`},
		"another script of ours": {template("form_post.js", `alert(1)`), "form_post.js"},
	} {
		if _, err := NewHandler(provider, test.config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got the error %v, want one with %s", name, err, test.want)
		}
	}
}
