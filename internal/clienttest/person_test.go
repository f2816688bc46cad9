package clienttest

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"testing"
)

// person is a user at a browser, who signs in and decides.
type person struct {
	client *http.Client
}

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	return &person{client: &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == stop.Host {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	loginField = regexp.MustCompile(`<input[^>]* name="password"`)
)

// answer opens the authorization request and fills in pages until the browser is
// redirected to the application. It returns that URL and the number of pages.
func (p *person) answer(address, decision string) (back *url.URL, pages int, err error) {
	response, err := p.client.Get(address)
	for ; err == nil; pages++ {
		body, readErr := io.ReadAll(response.Body)
		response.Body.Close()
		if readErr != nil {
			return nil, pages, readErr
		}
		if response.StatusCode >= 300 && response.StatusCode < 400 {
			back, err = response.Location()
			return back, pages, err
		}
		action := formAction.FindSubmatch(body)
		if response.StatusCode != http.StatusOK || action == nil || pages > 3 {
			return nil, pages, fmt.Errorf("page %d at %s: %s\n%s", pages, response.Request.URL, response.Status, body)
		}
		form := url.Values{"decision": {decision}}
		if loginField.Match(body) {
			form = url.Values{"username": {"alice"}, "password": {alicesWords}}
		}
		for _, field := range formHidden.FindAllSubmatch(body, -1) {
			form.Set(html.UnescapeString(string(field[1])), html.UnescapeString(string(field[2])))
		}
		target, parseErr := response.Request.URL.Parse(html.UnescapeString(string(action[1])))
		if parseErr != nil {
			return nil, pages, parseErr
		}
		response, err = p.client.PostForm(target.String(), form)
	}
	return nil, pages, err
}
