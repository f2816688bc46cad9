package oauthkit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/models"
)

// plainApplication is an [Application] without capabilities.
type plainApplication struct{ *models.Client }

func (plainApplication) VerifyPassword(string) bool { return false }

func (plainApplication) AllowsGrant(oauth2.GrantType) bool { return false }

func (plainApplication) AllowsRedirectURI(string) bool { return false }

func (plainApplication) AllowsScope(string) bool { return false }

func (plainApplication) AllowsAuthMethod(string) bool { return false }

// shortLived is an [Application] that chooses the lifetime of its access tokens.
type shortLived struct {
	plainApplication
	lifetime time.Duration
}

func (a shortLived) AccessTokenLifetime() time.Duration { return a.lifetime }

// TestWithoutCapabilities checks that an application without capabilities gets the
// strictest answer to every question.
func TestWithoutCapabilities(t *testing.T) {
	app := plainApplication{&models.Client{ID: "plain"}}
	if got := DisplayName(app); got != "plain" {
		t.Errorf("DisplayName: got %q, want the client_id", got)
	}
	if !IsUsable(app) {
		t.Error("IsUsable: got false, want true for an application that cannot be disabled")
	}
	if got := IDTokenAlgorithm(app); got != "" {
		t.Errorf("IDTokenAlgorithm: got %q, want none", got)
	}
	if !WantsIDTokenClaims(app, true) {
		t.Error("WantsIDTokenClaims: got false by default true, want true")
	}
	if got := chosenPKCE(app); got != "" {
		t.Errorf("chosenPKCE: got %q, want none", got)
	}
	if !AllowsResponseType(app, ResponseTypeCode) {
		t.Error("AllowsResponseType: got false for code, want true")
	}
	for name, got := range map[string]bool{
		"SkipsConsent":                SkipsConsent(app),
		"IsVerified":                  IsVerified(app),
		"AllowsResponseType":          AllowsResponseType(app, ResponseTypeToken),
		"AllowsOrigin":                AllowsOrigin(app, "https://spa.test"),
		"AllowsPostLogoutRedirectURI": AllowsPostLogoutRedirectURI(app, "https://rp.test/bye"),
		"WantsIDTokenClaims":          WantsIDTokenClaims(app, false),
		"omitsIssInErrors":            omitsIssInErrors(app),
		"defaultMaxAge":               defaultMaxAge(app) != nil,
		"resourcesByDefault":          len(resourcesByDefault(app)) > 0,
		"not AllowsResource":          !AllowsResource(app, "https://api.test"),
		"requiresPushedRequests":      requiresPushedRequests(app),
		"Abstract":                    Abstract(app) != nil,
	} {
		if got {
			t.Errorf("%s: got true, want false", name)
		}
	}
}

// TestCapabilitiesOfAbstractApplication checks the answers of the columns.
func TestCapabilitiesOfAbstractApplication(t *testing.T) {
	app := &AbstractApplication{
		ClientID: "web", Name: "Web", UserID: "alice", Algorithm: "ES256", IDTokenClaims: new(bool), OmitIssInErrors: new(bool), SkipAuthorization: true, Verified: true, Disabled: true,
		RedirectURIs: URIs{"https://rp.test/cb", "https://rp.test/other"}, AllowedOrigins: URIs{"https://spa.test"},
		PostLogoutRedirectURIs: URIs{"https://rp.test/bye"}, RequirePushedAuthorizationRequests: true,
		DefaultMaxAge: new(int), Resources: URIs{"https://api.test", "https://other.test"}, DefaultResources: URIs{"https://api.test"},
	}
	*app.OmitIssInErrors, *app.DefaultMaxAge = true, 60
	app.ImportSecret("a secret of this test")
	for name, pair := range map[string][2]string{
		"DisplayName":      {DisplayName(app), "Web"},
		"IDTokenAlgorithm": {IDTokenAlgorithm(app), "ES256"},
		"GetUserID":        {app.GetUserID(), "alice"},
		"GetDomain":        {app.GetDomain(), "https://rp.test/cb"},
		"GetDomain of an application without redirect URIs": {(&AbstractApplication{}).GetDomain(), "https://no-redirect-uri.invalid"},
		"ST-04 GetSecret": {app.GetSecret(), ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", name, pair[0], pair[1])
		}
	}
	for name, pair := range map[string][2]bool{
		"SkipsConsent":                           {SkipsConsent(app), true},
		"IsVerified":                             {IsVerified(app), true},
		"IsUsable":                               {IsUsable(app), false},
		"WantsIDTokenClaims":                     {WantsIDTokenClaims(app, true), false},
		"WantsIDTokenClaims by default":          {WantsIDTokenClaims(&AbstractApplication{}, true), true},
		"omitsIssInErrors":                       {omitsIssInErrors(app), true},
		"omitsIssInErrors by default":            {omitsIssInErrors(&AbstractApplication{}), false},
		"requiresPushedRequests":                 {requiresPushedRequests(app), true},
		"defaultMaxAge":                          {*defaultMaxAge(app) == time.Minute, true},
		"defaultMaxAge by default":               {defaultMaxAge(&AbstractApplication{}) == nil, true},
		"AllowsResource":                         {AllowsResource(app, "https://other.test"), true},
		"AllowsResource of another":              {AllowsResource(app, "https://third.test"), false},
		"AllowsResource by default":              {AllowsResource(&AbstractApplication{}, "https://api.test"), true},
		"resourcesByDefault":                     {resourcesByDefault(app).String() == "https://api.test", true},
		"AllowsOrigin":                           {AllowsOrigin(app, "https://spa.test"), true},
		"AllowsOrigin of another":                {AllowsOrigin(app, "https://spa.test:8443"), false},
		"AllowsOrigin of null":                   {AllowsOrigin(app, "null"), false},
		"AllowsPostLogoutRedirectURI":            {AllowsPostLogoutRedirectURI(app, "https://rp.test/bye"), true},
		"AllowsPostLogoutRedirectURI of another": {AllowsPostLogoutRedirectURI(app, "https://rp.test/cb"), false},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %t, want %t", name, pair[0], pair[1])
		}
	}
}

// TestPreviousSecretUntil checks that the time is returned only while a previous
// secret is valid.
func TestPreviousSecretUntil(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	later := now.Add(time.Hour)
	app := &AbstractApplication{ClientType: Confidential}
	app.RotateSecret(now, time.Hour)
	if got := PreviousSecretUntil(app, now); !got.IsZero() {
		t.Errorf("after the first secret: got %s, want zero", got)
	}
	app.RotateSecret(now, time.Hour)
	for at, want := range map[time.Time]time.Time{now: later, later.Add(-1): later, later: {}} {
		if got := PreviousSecretUntil(app, at); !got.Equal(want) {
			t.Errorf("at %s: got %s, want %s", at, got, want)
		}
	}
	if got := PreviousSecretUntil(plainApplication{&models.Client{}}, now); !got.IsZero() {
		t.Errorf("without SecretHolder: got %s, want zero", got)
	}
}

func TestAccessTokenLifetime(t *testing.T) {
	const fallback = 10 * time.Minute
	for lifetime, want := range map[time.Duration]time.Duration{
		time.Minute:         time.Minute,
		time.Minute + 1:     time.Minute,
		time.Second - 1:     fallback,
		0:                   fallback,
		-time.Minute:        fallback,
		1000000 * time.Hour: maxLifetime,
	} {
		if got := accessTokenLifetime(shortLived{lifetime: lifetime}, fallback); got != want {
			t.Errorf("lifetime %s: got %s, want %s", lifetime, got, want)
		}
	}
	if got := accessTokenLifetime(plainApplication{}, fallback); got != fallback {
		t.Errorf("without LifetimeChooser: got %s, want %s", got, fallback)
	}
}

// TestNoMethodCallsAnother checks the source of AbstractApplication: a method that
// called another one would not call the host's override, because Go has no virtual
// methods.
func TestNoMethodCallsAnother(t *testing.T) {
	overridable := map[string]bool{}
	for typed, i := reflect.TypeFor[*AbstractApplication](), 0; i < typed.NumMethod(); i++ {
		overridable[typed.Method(i).Name] = true
	}
	methods := methodsOfAbstractApplication(t)
	if len(methods) < len(overridable) || len(overridable) < 20 {
		t.Fatalf("got %d methods in the source and %d in the type, want at least as many and 20", len(methods), len(overridable))
	}
	for _, method := range methods {
		for _, called := range callsOfReceiver(method, overridable) {
			t.Errorf("%s calls %s, which a host may override", method.Name.Name, called)
		}
	}
}

// TestCallsOfReceiver checks that callsOfReceiver finds calls and method values.
func TestCallsOfReceiver(t *testing.T) {
	const source = `package p
		func (a *AbstractApplication) Title() string { if a.IsPublic() { f := a.GetID; return f() }; return other.GetID() }`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := callsOfReceiver(file.Decls[0].(*ast.FuncDecl), map[string]bool{"IsPublic": true, "GetID": true})
	if got := strings.Join(found, " "); got != "IsPublic GetID" {
		t.Errorf("got %q, want the call and the method value of the receiver", got)
	}
}

func methodsOfAbstractApplication(t *testing.T) (methods []*ast.FuncDecl) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if method, ok := declaration.(*ast.FuncDecl); ok && receives(method, "AbstractApplication") {
				methods = append(methods, method)
			}
		}
	}
	return methods
}

func receives(method *ast.FuncDecl, name string) bool {
	if method.Recv == nil {
		return false
	}
	pointer, ok := method.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	named, ok := pointer.X.(*ast.Ident)
	return ok && named.Name == name
}

// callsOfReceiver returns the overridable methods that are called, or taken as a
// value, on the receiver.
func callsOfReceiver(method *ast.FuncDecl, overridable map[string]bool) (called []string) {
	if len(method.Recv.List[0].Names) == 0 {
		return nil
	}
	receiver := method.Recv.List[0].Names[0].Name
	ast.Inspect(method.Body, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if on, ok := selector.X.(*ast.Ident); ok && on.Name == receiver && overridable[selector.Sel.Name] {
			called = append(called, selector.Sel.Name)
		}
		return true
	})
	return called
}
