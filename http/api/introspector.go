package oauthapi

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
	"github.com/oauthkit/oauthkit/http/internal/wire"
	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// IntrospectorConfig configures an [Introspector].
type IntrospectorConfig struct {
	// Endpoint is the URL of the provider's introspection endpoint. It must be https,
	// or http on this machine.
	Endpoint string
	// ClientID and ClientSecret are the credentials of a confidential application
	// that is allowed the scope "introspection".
	ClientID     string
	ClientSecret string
	// AllowInsecureEndpoint allows an http Endpoint on other machines. Anyone who
	// reads that traffic gets every token and the client secret.
	AllowInsecureEndpoint bool
	// CacheTime is how long a response is reused. A revoked token may still be
	// accepted for as long. A response is never reused after the token has expired,
	// and a response that a token is not valid is never reused. If CacheTime is zero,
	// every request asks the provider.
	CacheTime time.Duration
	// CacheSize is the number of most recently used tokens whose responses are
	// cached. If it is zero, 10000 is used.
	CacheSize int
	// KeyBindings verify tokens that the provider bound to keys. If it is nil, such
	// tokens are refused. Confirm is not called.
	KeyBindings oauthkit.KeyBindings
	// Client sends the requests. It is copied, follows no redirects, and has a
	// timeout of 5 seconds if it has none of its own. If Client is nil, a new one is
	// used.
	Client *http.Client
	// Now returns the time. If it is nil, time.Now is used.
	Now func() time.Time
}

// The defaults of IntrospectorConfig.
const (
	introspectionTimeout   = 5 * time.Second
	introspectionCacheSize = 10000
)

// Introspector is the [TokenSource] of an API in another program than the provider's.
// It asks the provider's introspection endpoint (RFC 7662).
//
// Concurrent requests with the same token share one question. The question has its
// own goroutine until it is answered or the Client's timeout is over. A caller whose
// context ends earlier gets the context's error, wrapped in
// [oauthkit.TemporarilyUnavailable], while the others go on waiting. An Introspector
// is safe for concurrent use.
type Introspector struct {
	config IntrospectorConfig
	client *http.Client
	cache  *lru.Cache[string, cached] // by the hash of the token; nil if CacheTime is zero
	asking singleflight.Group         // by the hash of the token
}

// cached is a response and the time until which it is reused.
type cached struct {
	response *response
	until    time.Time
}

// NewIntrospector returns an Introspector. It validates config and does not call the
// provider.
func NewIntrospector(config IntrospectorConfig) (*Introspector, error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("oauthapi: IntrospectorConfig: %w", err)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	client := &http.Client{}
	if config.Client != nil {
		*client = *config.Client
	}
	if client.Timeout <= 0 { // http.Client takes both for no timeout
		client.Timeout = introspectionTimeout
	}
	// Following a redirect would send the token on.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	introspector := &Introspector{config: config, client: client}
	if config.CacheTime > 0 {
		size := config.CacheSize
		if size == 0 {
			size = introspectionCacheSize
		}
		cache, err := lru.New[string, cached](size)
		if err != nil {
			return nil, fmt.Errorf("oauthapi: IntrospectorConfig.CacheSize: %w", err)
		}
		introspector.cache = cache
	}
	return introspector, nil
}

func (c IntrospectorConfig) check() error {
	endpoint, err := url.Parse(c.Endpoint)
	switch {
	case err != nil || endpoint.Host == "" || endpoint.User != nil || endpoint.Fragment != "":
		return errors.New("the Endpoint must be an absolute URL without user and fragment")
	case endpoint.Scheme != "https" && (endpoint.Scheme != "http" || !c.AllowInsecureEndpoint && !redirect.IsLoopback(endpoint.Hostname())):
		return errors.New("the Endpoint must be https; http needs a loopback host or AllowInsecureEndpoint")
	case c.ClientID == "" || c.ClientSecret == "":
		return errors.New("ClientID and ClientSecret must be set: introspection requires authentication (RFC 7662 section 2.1)")
	case c.CacheTime < 0 || c.CacheSize < 0:
		return errors.New("CacheTime and CacheSize must not be negative")
	default:
		return c.KeyBindings.Validate()
	}
}

// maxToken is the number of bytes of the longest token that is sent to the provider.
const maxToken = 4096

// Authenticate implements [TokenSource]. The Authorization of the returned token has only
// the fields that the provider sends: the user, the application, the scopes, the
// resources, the times, and the acr and time of the sign-in (RFC 9470 §6.2). The proof of
// a key is verified for each request, whether or not the response is cached.
func (i *Introspector) Authenticate(ctx context.Context, presented oauthkit.PresentedToken) (*oauthkit.AccessToken, error) {
	value := presented.Value
	if !wire.IsToken68(value) || len(value) > maxToken {
		return nil, errNotValid()
	}
	hash := secret.Hash(value)
	response, err := i.introspect(ctx, value, hash)
	if err != nil {
		return nil, err
	}
	if !i.isValid(response, i.config.Now()) {
		return nil, errNotValid()
	}
	token := response.accessToken(hash)
	if err := i.config.KeyBindings.Verify(ctx, presented, token); err != nil {
		return nil, err
	}
	return token, nil
}

// Now returns the time by IntrospectorConfig.Now.
func (i *Introspector) Now() time.Time { return i.config.Now() }

// KeyBindings returns IntrospectorConfig.KeyBindings.
func (i *Introspector) KeyBindings() oauthkit.KeyBindings { return i.config.KeyBindings }

// isValid reports whether the token is valid at now and has the token_type that follows
// from its key. The response must say so explicitly: a refresh token of the API's own
// application is active too but has no token_type.
func (i *Introspector) isValid(answer *response, now time.Time) bool {
	tokenType, exists := i.config.KeyBindings.TokenType(answer.Confirmation.Confirmation)
	return exists && strings.EqualFold(answer.TokenType, tokenType) && answer.isValid(now)
}

func errNotValid() error {
	return oauthkit.Errorf(oauthkit.InvalidToken, "the access token is not valid")
}

// introspect returns the provider's response about the token, from the cache if possible.
func (i *Introspector) introspect(ctx context.Context, value, hash string) (*response, error) {
	now := i.config.Now()
	if i.cache != nil {
		if entry, ok := i.cache.Get(hash); ok && now.Before(entry.until) {
			return entry.response, nil
		}
	}
	shared := context.WithoutCancel(ctx) // others may wait for the same response; the client's timeout ends it
	asking := i.asking.DoChan(hash, func() (any, error) {
		return catchPanic(func() (*response, error) { return i.askAndCache(shared, value, hash, now) })
	})
	select {
	case <-ctx.Done():
		return nil, oauthkit.Unavailable(fmt.Errorf("introspecting a token: %w", ctx.Err()))
	case result := <-asking:
		if text, ok := result.Val.(panicText); ok {
			panic(string(text))
		}
		if result.Err != nil {
			return nil, oauthkit.Unavailable(fmt.Errorf("introspecting a token: %w", result.Err))
		}
		return result.Val.(*response), nil
	}
}

// panicText is the value of a panic and its stack.
type panicText string

// catchPanic returns the result of ask, or the text of its panic. The host's
// transport may panic, and in a goroutine of its own that would end the program,
// where net/http ends only the request.
func catchPanic(ask func() (*response, error)) (result any, err error) {
	defer func() {
		if value := recover(); value != nil {
			result = panicText(fmt.Sprintf("%v\n\n%s", value, debug.Stack()))
		}
	}()
	return ask()
}

// askAndCache asks the provider and caches the response if the token is valid. Now is
// the time at which the first of the waiting callers came.
func (i *Introspector) askAndCache(ctx context.Context, value, hash string, now time.Time) (*response, error) {
	response, err := i.ask(ctx, value)
	switch {
	case err != nil:
		return nil, err
	case i.cache == nil:
	case i.isValid(response, now):
		i.cache.Add(hash, cached{response: response, until: now.Add(i.config.CacheTime)})
	default:
		i.cache.Remove(hash)
	}
	return response, nil
}

// ask sends the request of RFC 7662 §2.1.
func (i *Introspector) ask(ctx context.Context, value string) (*response, error) {
	form := url.Values{"token": {value}, "token_type_hint": {oauthkit.KindAccessToken}}
	body, endpoint := strings.NewReader(form.Encode()), i.config.Endpoint
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, body) //nolint:gosec // host URL
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	// RFC 6749 §2.3.1 asks for form encoding.
	request.SetBasicAuth(url.QueryEscape(i.config.ClientID), url.QueryEscape(i.config.ClientSecret))
	answer, err := i.client.Do(request) //nolint:gosec // the host configures it
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return readResponse(answer)
}
