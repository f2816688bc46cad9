package attacktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestConsentPage tests the content of the pages and how other sites can use them.
func TestConsentPage(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "B-10 honest consent page", Test: honestConsent},
		{Name: "B-12 frames", Test: frames},
		{Name: "B-13 third-party content", Test: foreignContent},
		{Name: "B-14 form-action against the redirect", Test: formAction},
		{Name: "B-18 cookies", Test: cookies},
	})
}

// honestConsent registers an application under the name of another one.
func honestConsent(t *testing.T, s *fixture.Server) {
	app := &oauthkit.AbstractApplication{
		Name: "Google", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://not-google.test/cb"},
		RegistrationSource: oauthkit.RegisteredDynamically,
	}
	client := register(t, s, app)
	page := s.Browser("alice").Open(client.AuthorizeRequest()).Consent()
	shown := textOf(t, page)
	for _, want := range []string{"It calls itself Google Unverified", "Answer goes to not-google.test", "Alice Example", "Not you?", "read your messages", "Nobody here has checked"} {
		if !strings.Contains(shown, want) {
			t.Errorf("got a page without %q:\n%s", want, shown)
		}
	}
	links := attributesOf(t, page, "href")
	if !slices.Contains(links, "/login?next="+url.QueryEscape("/o/consent?interaction="+interactionOf(page))+"&prompt=login") {
		t.Errorf("got links %q, want one to sign in as another user and return", links)
	}
	if shown := textOf(t, s.Browser("alice").Open(s.CLI.AuthorizeRequest()).Consent()); !strings.Contains(shown, "Answer goes to an app on this device") {
		t.Errorf("got a page that does not say where the answer goes:\n%s", shown)
	}
	s.UpdateApplication(client.ID, func(app *oauthkit.AbstractApplication) { app.Verified = true })
	if shown := textOf(t, s.Browser("alice").Open(client.AuthorizeRequest()).Consent()); strings.Contains(shown, "Unverified") || strings.Contains(shown, "Nobody here") {
		t.Errorf("got a page that warns of an application that was verified:\n%s", shown)
	}
}

// textOf returns the visible text of a page, with one space between words.
func textOf(t *testing.T, page *fixture.Answer) string {
	t.Helper()
	var text []string
	for node := range parsePage(t, page).Descendants() {
		if node.Type == nethtml.TextNode {
			text = append(text, strings.Fields(node.Data)...)
		}
	}
	return strings.Join(text, " ")
}

// attributesOf returns the values of an attribute in a page.
func attributesOf(t *testing.T, page *fixture.Answer, name string) []string {
	t.Helper()
	var values []string
	for node := range parsePage(t, page).Descendants() {
		for _, attribute := range node.Attr {
			if attribute.Key == name {
				values = append(values, attribute.Val)
			}
		}
	}
	return values
}

func parsePage(t *testing.T, page *fixture.Answer) *nethtml.Node {
	t.Helper()
	root, err := nethtml.Parse(strings.NewReader(page.Body))
	if err != nil {
		t.Fatalf("%s: reading the page: %v", page, err)
	}
	return root
}

// everyPage returns one answer of each kind that a browser can receive.
func everyPage(s *fixture.Server) map[string]*fixture.Answer {
	alice := s.Browser("alice")
	consent := alice.Open(s.Web.AuthorizeRequest()).Consent()
	pages := map[string]*fixture.Answer{
		"consent": consent, "bad request": alice.Authorize(s.Web.AuthorizeRequest("client_id=nobody")), "forbidden": alice.Decide(consent, "allow", "token=x"),
		"not found": alice.Get("/o/consent?interaction=x"), "unknown address": alice.Get("/o/nonsense"), "method": alice.Post("/o/nonsense", nil),
		"applications": alice.Get("/o/applications/"), "register": alice.Get("/o/applications/register/"), "connected apps": alice.Get("/o/authorized_tokens/"),
	}
	alice.Decide(consent, "deny")
	pages["conflict"] = alice.Decide(consent, "allow")
	s.Store.Fail(0)
	pages["unavailable"] = alice.Authorize(s.Web.AuthorizeRequest())
	s.Store.Heal()
	return pages
}

func frames(t *testing.T, s *fixture.Server) {
	answers := everyPage(s)
	anonymous := s.Browser("")
	answers["login redirect"] = anonymous.Authorize(s.Web.AuthorizeRequest())
	answers["token error"] = s.Web.ClientCredentials()
	answers["stylesheet"] = anonymous.Get(attributesOf(t, answers["consent"], "href")[0])
	answers["metadata"] = anonymous.Get("/o/.well-known/openid-configuration")
	for name, answer := range answers {
		policy := answer.Header.Get("Content-Security-Policy")
		if answer.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: got X-Frame-Options %q and Content-Security-Policy %q, want both to forbid frames", name, answer.Header.Get("X-Frame-Options"), policy)
		}
	}
}

// foreignContent expects pages that load nothing but the provider's stylesheet.
func foreignContent(t *testing.T, s *fixture.Server) {
	for name, page := range everyPage(s) {
		if !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: got %s, want a page", name, page.Header.Get("Content-Type"))
		}
		for node := range parsePage(t, page).Descendants() {
			if slices.Contains([]string{"script", "style", "iframe", "object", "embed", "base", "img"}, node.Data) && node.Type == nethtml.ElementNode {
				t.Errorf("%s: got an element %s, want none", name, node.Data)
			}
			for _, attribute := range node.Attr {
				switch {
				case slices.Contains([]string{"src", "href", "action", "formaction", "srcset", "data", "poster"}, attribute.Key):
					if !strings.HasPrefix(attribute.Val, "/") || strings.HasPrefix(attribute.Val, "//") {
						t.Errorf("%s: got %s=%q, want a path of this site", name, attribute.Key, attribute.Val)
					}
				case attribute.Key == "style" || strings.HasPrefix(attribute.Key, "on"):
					t.Errorf("%s: got an attribute %s, want none", name, attribute.Key)
				}
			}
		}
	}
}

// formAction expects a policy that lets the form's redirect reach the application,
// whose pages may redirect further. Browsers apply form-action to every redirect
// after a form, and it cannot name IPv6 addresses.
func formAction(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, test := range []struct {
		form url.Values
		want string
	}{
		{s.Web.AuthorizeRequest(), "'self' https: http:"},
		{s.CLI.AuthorizeRequest("redirect_uri=http://[::1]:51004/cb"), "'self' https: http:"},
		{s.CLI.AuthorizeRequest("redirect_uri=com.example.cli:/cb"), "'self' https: http: com.example.cli:"},
	} {
		page := alice.Open(test.form).Consent()
		if got, want := directive(page, "form-action"), test.want; got != want {
			t.Errorf("got form-action %s, want %s", got, want)
		}
	}
	if got := directive(alice.Authorize(s.Web.AuthorizeRequest("client_id=nobody")), "form-action"); got != "'none'" {
		t.Errorf("got form-action %s on an error page, want 'none'", got)
	}
}

// directive returns the value of a directive in the answer's Content-Security-Policy.
func directive(answer *fixture.Answer, name string) string {
	for part := range strings.SplitSeq(answer.Header.Get("Content-Security-Policy"), ";") {
		if value, found := strings.CutPrefix(strings.TrimSpace(part), name+" "); found {
			return value
		}
	}
	return ""
}

func cookies(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	begun := alice.Authorize(s.Web.AuthorizeRequest())
	set := (&http.Response{Header: begun.Header}).Cookies()
	if len(set) != 1 {
		t.Fatalf("got cookies %v, want one", set)
	}
	cookie := set[0]
	if !strings.HasPrefix(cookie.Name, "__Host-oauthkit-") || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("got %s, want __Host-oauthkit-... with Secure, HttpOnly, SameSite=Lax, Path=/ and no Domain", cookie)
	}
	for _, planted := range []string{"x", "obr_", strings.Repeat("A", 47), cookie.Value + "A", cookie.Value[:40]} {
		victim := s.Browser("alice")
		victim.SetCookie(&http.Cookie{Name: cookie.Name, Value: planted})
		if set := (&http.Response{Header: victim.Authorize(s.Web.AuthorizeRequest()).Header}).Cookies(); len(set) != 1 || set[0].Value == planted {
			t.Errorf("%q: got cookies %v, want a new one instead", planted, set)
		}
	}
	page := alice.Follow(begun).Consent()
	approved := alice.Decide(page, "allow")
	for _, secret := range []string{interactionOf(page), tokenOf(page), approved.Code()} {
		if strings.Contains(cookie.String(), secret) || strings.Contains(secret, cookie.Value) {
			t.Errorf("got cookie %s, want a value that is used nowhere else", cookie)
		}
	}
	for _, answer := range []*fixture.Answer{page, approved, alice.Authorize(s.SPA.AuthorizeRequest()), alice.Authorize(s.Web.AuthorizeRequest("client_id=nobody"))} {
		if got := answer.Header.Values("Set-Cookie"); len(got) > 0 {
			t.Errorf("%s: got cookies %v, want none, because the browser has one", answer, got)
		}
	}
}
