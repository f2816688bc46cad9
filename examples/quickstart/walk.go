package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// browser is an HTTP client that follows links and submits forms like a user, one step
// at a time.
type browser struct {
	client *http.Client
	out    io.Writer
	step   int
	at     *url.URL
	page   string
}

// approve submits the consent page. The page is skipped if consent is remembered from
// an earlier walk.
func (b *browser) approve(ctx context.Context) error {
	if !strings.Contains(b.page, `name="decision"`) {
		fmt.Fprintln(b.out, "   consent is remembered, the page is skipped")
		return nil
	}
	return b.submit(ctx, url.Values{"decision": {"allow"}})
}

// walkThrough signs in, approves, checks the client's page, refreshes the tokens and
// signs out. Its error names the failed step.
func walkThrough(ctx context.Context, base string, out io.Writer) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	start, err := url.Parse(base)
	if err != nil {
		return err
	}
	b := &browser{client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, out: out, at: start}
	steps := []struct {
		name string
		do   func() error
		want string // text on the last page
	}{
		{"open the demo client", func() error { return b.get(ctx, "/demo/") }, "Sign in"},
		{"start a sign-in", func() error { return b.get(ctx, "/demo/login") }, "password"},
		{"sign in at the provider", func() error {
			return b.submit(ctx, url.Values{"username": {demoUser}, "password": {demoPassword}})
		}, "Alice Liddell"},
		{"approve on the consent page", func() error { return b.approve(ctx) }, "Hello, alice!"},
		{"refresh the tokens", func() error { return b.submit(ctx, url.Values{}) }, "refreshed once"},
		{"sign in again: consent is remembered", func() error { return b.get(ctx, "/demo/login") }, "Hello, alice!"},
		{"sign out at the client and the provider", func() error { return b.send(ctx, http.MethodPost, "/demo/logout", nil) }, "Sign in with the provider"},
		{"start a sign-in: the provider asks for the password", func() error { return b.get(ctx, "/demo/login") }, "password"},
	}
	for _, step := range steps {
		b.step++
		fmt.Fprintf(out, "%d. %s\n", b.step, step.name)
		if err := step.do(); err != nil {
			return fmt.Errorf("step %d (%s): %w", b.step, step.name, err)
		}
		if !strings.Contains(b.page, step.want) {
			return fmt.Errorf("step %d (%s): the page at %s does not show %q", b.step, step.name, b.at.Path, step.want)
		}
	}
	fmt.Fprintf(out, "\nAll %d steps succeeded. The client verified the ID token and called user info and the API.\n", b.step)
	return nil
}

func (b *browser) get(ctx context.Context, reference string) error {
	return b.send(ctx, http.MethodGet, reference, nil)
}

// The parts of a page that a user submits.
var (
	formAction  = regexp.MustCompile(`<form[^>]*\baction="([^"]*)"`)
	hiddenField = regexp.MustCompile(`<input[^>]*\btype="hidden"[^>]*\bname="([^"]*)"[^>]*\bvalue="([^"]*)"`)
)

// submit submits the form on the page with its hidden fields.
func (b *browser) submit(ctx context.Context, fields url.Values) error {
	action := formAction.FindStringSubmatch(b.page)
	if action == nil {
		return fmt.Errorf("no form on the page at %s", b.at.Path)
	}
	for _, field := range hiddenField.FindAllStringSubmatch(b.page, -1) {
		fields.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return b.send(ctx, http.MethodPost, html.UnescapeString(action[1]), fields)
}

// send follows redirects itself, so that it can print the status of each.
func (b *browser) send(ctx context.Context, method, reference string, form url.Values) error {
	for range 15 {
		target, err := b.at.Parse(reference)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, method, target.String(), strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		if method == http.MethodPost {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		response, err := b.client.Do(request)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "   %-4s %-60.60s %s\n", method, target.Path, response.Status)
		b.at, b.page = target, string(body)
		if response.StatusCode < 300 {
			return nil
		}
		if response.StatusCode >= 400 {
			return fmt.Errorf("%s %s: %s", method, target.Path, response.Status)
		}
		method, reference, form = http.MethodGet, response.Header.Get("Location"), nil
	}
	return fmt.Errorf("too many redirects, the last from %s", b.at.Path)
}
