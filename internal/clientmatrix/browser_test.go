package clientmatrix

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// browser is a user's browser without scripts. It fills in the provider's pages.
type browser struct {
	client         *http.Client
	issuer         string
	user, decision string
	forms          []string // URLs of the relying party's pages whose form the user submits

	passwords, consents, questions int // pages filled in
}

// page is where the browser stopped.
type page struct {
	address *url.URL
	status  int
	body    string
}

// newBrowser returns a browser whose user makes the decision (allow or deny) on each
// consent page.
func (r *run) newBrowser(user, decision string) *browser {
	r.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.Fatal(err)
	}
	client := r.lab.httpClient()
	client.Jar = jar
	client.Transport = acceptHTML{client.Transport}
	client.CheckRedirect = func(request *http.Request, via []*http.Request) error {
		if len(via) >= 15 {
			return fmt.Errorf("redirected 15 times, last to %s", request.URL)
		}
		return nil
	}
	b := &browser{client: client, issuer: r.issuer, user: user, decision: decision}
	for _, path := range r.lab.client.site.forms {
		b.forms = append(b.forms, r.origin+path)
	}
	return b
}

// acceptHTML adds the header by which relying parties tell browsers from programs.
type acceptHTML struct{ http.RoundTripper }

func (t acceptHTML) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Accept", "text/html,*/*;q=0.8")
	return t.RoundTripper.RoundTrip(request)
}

// expect opens a URL and fails if the browser does not stop at a page below origin
// that has the text.
func (b *browser) expect(address, origin, text string) error {
	page, err := b.open(address)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(page.address.String(), origin) || !strings.Contains(page.body, text) {
		return fmt.Errorf("got %w, want a page at %s with %q", page.asError(), origin, text)
	}
	return nil
}

// asError returns the page as an error.
func (p *page) asError() error {
	const limit = 3000
	return fmt.Errorf("status %d at %s:\n%s", p.status, p.address, p.body[:min(len(p.body), limit)])
}

// open opens a URL, submits the form of the page there if the user does so, fills in
// the provider's pages, and returns the page where that ends.
func (b *browser) open(address string) (*page, error) {
	current, err := b.follow(b.client.Get(address))
	if err != nil || !slices.Contains(b.forms, address) {
		return current, err
	}
	return b.submit(current)
}

// follow fills in the provider's pages, beginning with a response.
// submit submits the form of a page of the relying party, as a browser does.
func (b *browser) submit(p *page) (*page, error) {
	form := p.form()
	if form == nil {
		return nil, fmt.Errorf("got no form at %w", p.asError())
	}
	body := strings.NewReader(form.values.Encode())
	request, err := http.NewRequest(http.MethodPost, form.action.String(), body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Referer", p.address.String())
	return b.follow(b.client.Do(request))
}

func (b *browser) follow(response *http.Response, err error) (*page, error) {
	for range 6 {
		if err != nil {
			return nil, err
		}
		body, readErr := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		response.Body.Close()
		if readErr != nil {
			return nil, readErr
		}
		current := &page{response.Request.URL, response.StatusCode, string(body)}
		form := current.form()
		if !b.atProvider(current.address) || form == nil || current.status != http.StatusOK {
			return current, nil
		}
		response, err = b.client.PostForm(form.action.String(), b.fillIn(form))
	}
	return nil, errors.New("more than 6 pages of the provider")
}

func (b *browser) atProvider(address *url.URL) bool {
	issuer, err := url.Parse(b.issuer)
	return err == nil && address.Host == issuer.Host
}

// fillIn returns the user's input.
func (b *browser) fillIn(form *form) url.Values {
	switch {
	case form.values.Has("password"):
		b.passwords++
		form.values.Set("username", b.user)
		form.values.Set("password", password)
	case form.values.Has("decision"):
		b.consents++
		form.values.Set("decision", b.decision)
	default:
		b.questions++ // whether to sign out
	}
	return form.values
}

// form is a form of a page with the values of its fields and of its last button.
type form struct {
	action *url.URL
	values url.Values
}

// form returns the first form that is sent with POST, or nil.
func (p *page) form() *form {
	document, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		return nil
	}
	for node := range document.Descendants() {
		if node.Data != "form" || !strings.EqualFold(attribute(node, "method"), "post") {
			continue
		}
		action, err := p.address.Parse(attribute(node, "action"))
		if err != nil {
			return nil
		}
		found := &form{action, url.Values{}}
		for field := range node.Descendants() {
			if name := attribute(field, "name"); name != "" && (field.Data == "input" || field.Data == "button") {
				found.values.Set(name, attribute(field, "value"))
			}
		}
		return found
	}
	return nil
}

func attribute(node *html.Node, name string) string {
	for _, attribute := range node.Attr {
		if attribute.Key == name {
			return attribute.Val
		}
	}
	return ""
}
