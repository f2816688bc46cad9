package nemesis

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Client is a virtual client: a browser with its user, and the applications that the
// user signs in to. It keeps connections alive. It is not safe for concurrent use
// unless a method says so.
type Client struct {
	// Unrecorded keeps requests out of the history.
	Unrecorded bool

	world    *World
	http     *http.Client
	instance int // the instance it uses
	user     string
}

// Grant holds the credentials of a family.
type Grant struct {
	Family            int
	ClientID, Subject string
	Verifier          string
	Code              string
	Access, Refresh   string
	issued            time.Time // when the answer with the tokens arrived
}

// patience is the time that a client waits for an answer. It exceeds the provider's
// own limit, so a request without an answer is the provider's fault.
const patience = 40 * time.Second

// Client returns a new client of an instance. Its number selects its user.
func (w *World) Client(number int) *Client {
	jar, _ := cookiejar.New(nil) // never fails
	return &Client{
		world: w, instance: number % len(w.Instances), user: w.Users[number%len(w.Users)],
		http: &http.Client{
			Jar: jar, Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 8},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// On moves the client to another instance.
func (c *Client) On(instance int) *Client {
	other := *c
	other.instance = instance % len(c.world.Instances)
	return &other
}

// Close closes the client's connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) origin() string { return c.world.Instances[c.instance].Origin() }

// send sends a form with the credentials of an application and records the
// answer in op.
func (c *Client) send(ctx context.Context, op *Op, path, clientID string, form url.Values) *Op {
	if clientID == Native {
		form.Set("client_id", clientID)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.origin()+path, strings.NewReader(form.Encode()))
	if err != nil {
		op.Error = err.Error()
		return op
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if clientID != Native {
		request.SetBasicAuth(clientID, clientSecret)
	}
	op.Start = c.world.History.Now()
	response, err := c.http.Do(request)
	c.read(op, response, err)
	op.End = c.world.History.Now()
	if !c.Unrecorded {
		op.Abandoned = ctx.Err() != nil
		c.world.History.Add(op)
	}
	return op
}

func (c *Client) read(op *Op, response *http.Response, err error) {
	if err != nil {
		op.Error = err.Error()
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		op.Error = err.Error()
		return
	}
	op.Status, op.RetryAfter = response.StatusCode, response.Header.Get("Retry-After") != ""
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Error   string `json:"error"`
		Active  bool   `json:"active"`
		Client  string `json:"client_id"`
		Subject string `json:"sub"`
		Scope   string `json:"scope"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return
	}
	op.Access, op.Refresh, op.Error, op.Active = answer.Access, answer.Refresh, answer.Error, answer.Active
	op.GotClient, op.GotSubject, op.GotScope = answer.Client, answer.Subject, answer.Scope
}

// Issue requests a token for the application Machine itself.
func (c *Client) Issue(ctx context.Context) *Op {
	op := &Op{Kind: Issue, Family: c.world.History.Family(), ClientID: Machine, Subject: "", Scope: "read"}
	return c.send(ctx, op, "/o/token", Machine, url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}})
}

// GrantOf returns the credentials in an answer to Issue.
func (c *Client) GrantOf(op *Op) *Grant {
	return &Grant{Family: op.Family, ClientID: op.ClientID, Subject: op.Subject, Access: op.Access, Refresh: op.Refresh}
}

// Redeem redeems the code of a grant and stores the tokens in the grant. It is safe
// for concurrent use, except for the grant's tokens.
func (c *Client) Redeem(ctx context.Context, grant *Grant) *Op {
	op := &Op{Kind: Redeem, Family: grant.Family, ClientID: grant.ClientID, Subject: grant.Subject, Scope: "read", Presented: grant.Code}
	return c.send(ctx, op, "/o/token", grant.ClientID, url.Values{
		"grant_type": {"authorization_code"}, "code": {grant.Code}, "redirect_uri": {callbackOf(grant.ClientID)},
		"code_verifier": {grant.Verifier},
	})
}

// Refresh redeems a refresh token of a grant. It is safe for concurrent use.
func (c *Client) Refresh(ctx context.Context, grant *Grant, token string) *Op {
	op := &Op{Kind: Refresh, Family: grant.Family, ClientID: grant.ClientID, Subject: grant.Subject, Scope: "read", Presented: token}
	return c.send(ctx, op, "/o/token", grant.ClientID, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// Introspect introspects an access token of a grant as the application API. It is
// safe for concurrent use.
func (c *Client) Introspect(ctx context.Context, grant *Grant, token string) *Op {
	op := &Op{Kind: Introspect, Family: grant.Family, ClientID: grant.ClientID, Subject: grant.Subject, Scope: "read", Presented: token}
	return c.send(ctx, op, "/o/introspect", API, url.Values{"token": {token}})
}

// Revoke revokes a token of a grant. It is safe for concurrent use.
func (c *Client) Revoke(ctx context.Context, grant *Grant, token string) *Op {
	op := &Op{Kind: Revoke, Family: grant.Family, ClientID: grant.ClientID, Subject: grant.Subject, Presented: token}
	return c.send(ctx, op, "/o/revoke_token", grant.ClientID, url.Values{"token": {token}})
}

func callbackOf(clientID string) string {
	if clientID == Native {
		return "http://127.0.0.1/cb"
	}
	return callback
}

// Authorize requests a code for an application, and signs in and consents if
// required. It returns nil if there is no code.
func (c *Client) Authorize(ctx context.Context, clientID string) *Grant {
	op := &Op{Kind: Authorize, Family: c.world.History.Family(), ClientID: clientID, Subject: c.user}
	grant := &Grant{Family: op.Family, ClientID: clientID, Subject: c.user, Verifier: oauth2.GenerateVerifier()}
	op.Start = c.world.History.Now()
	c.walk(ctx, op, c.origin()+"/o/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {callbackOf(clientID)}, "scope": {"read"},
		"state": {strconv.Itoa(op.Family)}, "code_challenge": {oauth2.S256ChallengeFromVerifier(grant.Verifier)},
		"code_challenge_method": {"S256"},
	}.Encode())
	op.End = c.world.History.Now()
	if !c.Unrecorded {
		op.Abandoned = ctx.Err() != nil
		c.world.History.Add(op)
	}
	grant.Code = op.Code
	if op.Code == "" {
		return nil
	}
	return grant
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	loginField = regexp.MustCompile(`<input[^>]* name="password"`)
)

// walk opens an address and follows pages and redirects until one leads to the
// application.
func (c *Client) walk(ctx context.Context, op *Op, address string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	for tries := 0; tries < 12; tries++ {
		if err != nil {
			op.Status, op.Error = 0, err.Error()
			return
		}
		response, failed := c.http.Do(request)
		if failed != nil {
			op.Status, op.Error = 0, failed.Error()
			return
		}
		body, failed := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		response.Body.Close()
		op.Status, op.RetryAfter = response.StatusCode, response.Header.Get("Retry-After") != ""
		switch {
		case failed != nil:
			op.Status, op.Error = 0, failed.Error()
			return
		case response.StatusCode >= 300 && response.StatusCode < 400:
			next, failed := response.Location()
			if failed != nil {
				op.Error = failed.Error()
				return
			}
			if c.answered(op, next) {
				return
			}
			request, err = http.NewRequestWithContext(ctx, http.MethodGet, next.String(), nil)
		case response.StatusCode == http.StatusOK:
			request, err = c.fill(ctx, request.URL, string(body))
		case response.StatusCode == http.StatusServiceUnavailable && request.Method == http.MethodPost && request.URL.Path == "/login" &&
			tries < 10 && op.RetryAfter: // idp limits concurrent password checks
			pause(ctx, 200*time.Millisecond)
			if request.Body, err = request.GetBody(); err != nil {
				return
			}
		default:
			op.Error = strings.Join(strings.Fields(tagPattern.ReplaceAllString(string(body), " ")), " ")
			return
		}
	}
	op.Error = "there is no end of pages"
}

var tagPattern = regexp.MustCompile(`<[^>]*>`)

// answered reports whether a redirect leads to the application, and if so records the
// response. A redirect may name the issuer's host, which is the first instance, but
// the client stays at its instance.
func (c *Client) answered(op *Op, next *url.URL) bool {
	if strings.HasPrefix(next.String(), callbackOf(op.ClientID)+"?") {
		answer := next.Query()
		op.Code, op.Error = answer.Get("code"), answer.Get("error")
		if answer.Get("state") != strconv.Itoa(op.Family) {
			op.Code, op.Error = "", "the state of another request"
		}
		if op.Error == "temporarily_unavailable" { // RFC 6749 §4.1.2.1: the 503 of a redirect
			op.Status, op.RetryAfter = http.StatusServiceUnavailable, true
		}
		return true
	}
	next.Host = strings.TrimPrefix(c.origin(), "http://")
	return false
}

// fill fills in the form of a page: the password if there is such a field, otherwise
// the decision to allow.
func (c *Client) fill(ctx context.Context, at *url.URL, page string) (*http.Request, error) {
	action := formAction.FindStringSubmatch(page)
	if action == nil {
		return nil, fmt.Errorf("the page at %s has no form", at)
	}
	form := url.Values{"decision": {"allow"}}
	if loginField.MatchString(page) {
		form = url.Values{"username": {c.user}, "password": {password}}
	}
	for _, field := range formHidden.FindAllStringSubmatch(page, -1) {
		form.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	target, err := at.Parse(html.UnescapeString(action[1]))
	if err != nil {
		return nil, err
	}
	target.Host = at.Host
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request, err
}

// Read gets a public document.
func (c *Client) Read(ctx context.Context, path string) *Op {
	op := &Op{Kind: Read, Start: c.world.History.Now()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.origin()+path, nil)
	if err == nil {
		response, failed := c.http.Do(request)
		c.read(op, response, failed)
	}
	op.End = c.world.History.Now()
	if !c.Unrecorded {
		op.Abandoned = ctx.Err() != nil
		c.world.History.Add(op)
	}
	return op
}

// cutPort splits host:port.
func cutPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}
