package oauthhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/oauthkit/oauthkit"
	redirection "github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// IntrospectorConfig is how an API in a program of its own asks the provider about tokens.
type IntrospectorConfig struct {
	// Endpoint is the URL of the provider's introspection endpoint: https, or http on this machine.
	Endpoint string
	// ClientID and ClientSecret are those of a confidential application that is allowed the scope "introspection".
	ClientID     string
	ClientSecret string
	// AllowInsecureEndpoint allows http for other machines too. Whoever reads that traffic has every token and the secret.
	AllowInsecureEndpoint bool
	// CacheTime is for how long an answer may be used again: so long a token that was revoked may still work here. It is never
	// used beyond the end of the token, and the answer that a token is not valid never at all. Zero: each request asks.
	CacheTime time.Duration
	// CacheSize is the number of tokens whose answers are kept, the last used ones. Zero: 10000.
	CacheSize int
	// Client sends the requests. It is copied, follows no redirects, and has a timeout of 5 seconds if it has none. Nil: a new one.
	Client *http.Client
	// Now is the time. Nil: time.Now.
	Now func() time.Time
}

// The defaults of IntrospectorConfig.
const (
	introspectionTimeout   = 5 * time.Second
	introspectionCacheSize = 10000
)

// Introspector is the [TokenSource] of an API in another program than the provider's: it asks the introspection endpoint (RFC
// 7662). Requests that come in with the same token at the same time share one question, which has a goroutine of its own until it
// is answered or the Client's timeout is over. A caller whose context ends before gets the context's error, wrapped in one that says
// that there is no answer, and the others go on waiting. It is safe for concurrent use.
type Introspector struct {
	config  IntrospectorConfig
	client  *http.Client
	answers *lru.Cache[string, remembered] // by the hash of the token; nil: none are kept
	asking  singleflight.Group             // by the same
}

// remembered is an answer and until when it may be used.
type remembered struct {
	answer *introspection
	until  time.Time
}

// NewIntrospector returns an Introspector. The error says what is wrong with the config; the provider is not asked yet.
func NewIntrospector(config IntrospectorConfig) (*Introspector, error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("oauthhttp: IntrospectorConfig: %w", err)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	client := &http.Client{}
	if config.Client != nil {
		*client = *config.Client
	}
	if client.Timeout <= 0 { // http.Client takes both for none
		client.Timeout = introspectionTimeout
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // it would send the token on
	introspector := &Introspector{config: config, client: client}
	if config.CacheTime > 0 {
		size := config.CacheSize
		if size == 0 {
			size = introspectionCacheSize
		}
		answers, err := lru.New[string, remembered](size)
		if err != nil {
			return nil, fmt.Errorf("oauthhttp: IntrospectorConfig.CacheSize: %w", err)
		}
		introspector.answers = answers
	}
	return introspector, nil
}

func (c IntrospectorConfig) check() error {
	endpoint, err := url.Parse(c.Endpoint)
	switch {
	case err != nil || endpoint.Host == "" || endpoint.User != nil || endpoint.Fragment != "":
		return errors.New("Endpoint must be an absolute URL without user and fragment")
	case endpoint.Scheme != "https" && (endpoint.Scheme != "http" || !c.AllowInsecureEndpoint && !redirection.IsLoopback(endpoint.Hostname())):
		return errors.New("Endpoint must be https; http is for this machine, or with AllowInsecureEndpoint")
	case c.ClientID == "" || c.ClientSecret == "":
		return errors.New("ClientID and ClientSecret must be set: no one may introspect without authentication (RFC 7662 section 2.1)")
	case c.CacheTime < 0 || c.CacheSize < 0:
		return errors.New("CacheTime and CacheSize must not be negative")
	default:
		return nil
	}
}

// maxBearer is the number of bytes of the longest token that is asked about.
const maxBearer = 4096

// Authenticate implements [TokenSource]. What it returns tells of the Authorization no more than the provider does: whose and
// which application's it is.
func (i *Introspector) Authenticate(ctx context.Context, bearer string) (*oauthkit.AccessToken, error) {
	if !isToken68(bearer) || len(bearer) > maxBearer {
		return nil, errInactive()
	}
	hash := secret.Hash(bearer)
	answer, err := i.answer(ctx, bearer, hash)
	if err != nil {
		return nil, err
	}
	if !answer.goodAt(i.config.Now()) {
		return nil, errInactive()
	}
	return answer.accessToken(hash), nil
}

func errInactive() error {
	return oauthkit.Errorf(oauthkit.InvalidToken, "the access token is not valid")
}

// answer returns what the provider says about the token, or has said not long ago.
func (i *Introspector) answer(ctx context.Context, bearer, hash string) (*introspection, error) {
	now := i.config.Now()
	if i.answers != nil {
		if kept, ok := i.answers.Get(hash); ok && now.Before(kept.until) {
			return kept.answer, nil
		}
	}
	shared := context.WithoutCancel(ctx) // others may be waiting for the same answer; the client's timeout ends it
	asking := i.asking.DoChan(hash, func() (any, error) {
		return withoutPanic(func() (*introspection, error) { return i.askAndKeep(shared, bearer, hash, now) })
	})
	select {
	case <-ctx.Done():
		return nil, oauthkit.Unavailable(fmt.Errorf("introspecting a token: %w", ctx.Err()))
	case asked := <-asking:
		if broken, ok := asked.Val.(panicked); ok {
			panic(string(broken))
		}
		if asked.Err != nil {
			return nil, oauthkit.Unavailable(fmt.Errorf("introspecting a token: %w", asked.Err))
		}
		return asked.Val.(*introspection), nil
	}
}

// panicked is what a function panicked with, and where.
type panicked string

// withoutPanic returns what the function returns, or what it panicked with: the host's transport may, and in a goroutine of its own
// that would end the program, where a request of net/http would have ended.
func withoutPanic(ask func() (*introspection, error)) (result any, err error) {
	defer func() {
		if value := recover(); value != nil {
			result = panicked(fmt.Sprintf("%v\n\n%s", value, debug.Stack()))
		}
	}()
	return ask()
}

// askAndKeep asks, and keeps the answer that a token is good. Now is when the first of those who wait came.
func (i *Introspector) askAndKeep(ctx context.Context, bearer, hash string, now time.Time) (*introspection, error) {
	answer, err := i.ask(ctx, bearer)
	switch {
	case err != nil:
		return nil, err
	case i.answers == nil:
	case answer.goodAt(now):
		i.answers.Add(hash, remembered{answer: answer, until: now.Add(i.config.CacheTime)})
	default:
		i.answers.Remove(hash)
	}
	return answer, nil
}

// ask sends the request of RFC 7662 §2.1.
func (i *Introspector) ask(ctx context.Context, bearer string) (*introspection, error) {
	form := url.Values{"token": {bearer}, "token_type_hint": {oauthkit.KindAccessToken}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.config.Endpoint, strings.NewReader(form.Encode())) //nolint:gosec // the host says where
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.SetBasicAuth(url.QueryEscape(i.config.ClientID), url.QueryEscape(i.config.ClientSecret)) // RFC 6749 §2.3.1
	response, err := i.client.Do(request)                                                            //nolint:gosec // the same
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return readIntrospection(response)
}
