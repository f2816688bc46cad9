package oauthhttp_test

import (
	"bytes"
	"context"
	"errors"
	"go/ast"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// reasonText is the prefix of the key of a reason's text.
const reasonText = "error.reason."

// TestReasonsHaveTexts checks that each reason has a text in every language, and that
// there are no other texts.
func TestReasonsHaveTexts(t *testing.T) {
	reasons := declaredReasons(t)
	for _, language := range []string{"en", "de"} {
		var said []string
		for key := range readTexts(t, language) {
			if reason, found := strings.CutPrefix(key, reasonText); found {
				said = append(said, reason)
			}
		}
		slices.Sort(said)
		if !slices.Equal(said, reasons) {
			t.Errorf("%s: got texts for\n%q, want\n%q", language, said, reasons)
		}
	}
}

// declaredReasons returns the values of all constants of type Reason, sorted.
func declaredReasons(t *testing.T) []string {
	t.Helper()
	var reasons []string
	for _, file := range sourceOf(t, "..") {
		for node := range ast.Preorder(file) {
			spec, ok := node.(*ast.ValueSpec)
			if !ok {
				continue
			}
			if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
				continue
			}
			for _, value := range spec.Values {
				reason, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				reasons = append(reasons, reason)
			}
		}
	}
	if len(reasons) < 10 {
		t.Fatalf("got %q, want the reasons of package oauthkit", reasons)
	}
	slices.Sort(reasons)
	return reasons
}

// brokenCheck is an extension whose check of a request fails.
type brokenCheck struct{}

func (brokenCheck) Extend(registry *oauthkit.Registry) error {
	registry.ValidateAuthorize(func(context.Context, *oauthkit.AuthorizeRequest) error { return errors.New(mark) })
	return nil
}

// TestErrorPagesOfFailures checks the pages after a failing extension, a failing
// host, and a host without a login page. The page does not show the cause. The log
// has it with the reason and the trace id.
func TestErrorPagesOfFailures(t *testing.T) {
	var log bytes.Buffer
	broken := newPages(t, oauthhttp.Config{}, func(config *oauthkit.Config) {
		config.Extensions = append(config.Extensions, brokenCheck{})
		config.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	m := newManaged(t)
	asked := func(user *oauthkit.User, err error) http.Handler {
		return m.handlerWith(func(config *oauthhttp.Config) {
			config.CurrentUser, config.LoginURL = func(*http.Request) (*oauthkit.User, error) { return user, err }, ""
		})
	}
	for _, test := range []struct {
		handler http.Handler
		address string
		want    wayToErrorPage
	}{
		{broken, authorizeAddress(), wayToErrorPage{reason: oauthkit.ReasonServerError, status: 500, heading: "error.failure.heading"}},
		{asked(nil, errors.New(mark)), "/o/applications", wayToErrorPage{reason: oauthkit.ReasonUnavailable, status: 503, heading: "error.unavailable.heading"}},
		{asked(nil, nil), "/o/applications", wayToErrorPage{reason: oauthkit.ReasonNotSignedIn, status: 403, heading: "error.denied.heading"}},
	} {
		recorder := httptest.NewRecorder()
		test.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, test.address, nil))
		checkErrorPage(t, recorder, "en", test.want)
		if test.handler != broken {
			continue
		}
		reference := regexp.MustCompile(`<dt>Reference</dt><dd><code>(.+?)</code>`).FindStringSubmatch(recorder.Body.String())[1]
		if line := log.String(); !strings.Contains(line, "reason=server_error") || !strings.Contains(line, mark) || !strings.Contains(line, reference) {
			t.Errorf("got %s in the log, want the reason, the cause and %s", line, reference)
		}
	}
}

// TestReasonOfTheHost checks that a host's reason has the host's text, or else a
// general one.
func TestReasonOfTheHost(t *testing.T) {
	const sentence = "Our provider is closed on Sundays."
	for reason, want := range map[oauthkit.Reason]string{"closed": sentence, "unheard_of": readTexts(t, "en")["error.request.message"]} {
		handler := newPages(t, oauthhttp.Config{Texts: map[string]oauthhttp.Texts{"en": {"error.reason.closed": sentence}}}, func(config *oauthkit.Config) {
			config.Extensions = append(config.Extensions, closed(reason))
		})
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, authorizeAddress(), nil))
		if page := recorder.Body.String(); recorder.Code != http.StatusServiceUnavailable || !strings.Contains(page, want) || !strings.Contains(page, "<code>"+string(reason)+"</code>") {
			t.Errorf("%s: got %d: %s; want 503 and %q", reason, recorder.Code, page, want)
		}
	}
}

// closed is an extension that refuses every request with this reason.
type closed oauthkit.Reason

func (c closed) Extend(registry *oauthkit.Registry) error {
	registry.ValidateAuthorize(func(context.Context, *oauthkit.AuthorizeRequest) error {
		return oauthkit.Errorf(oauthkit.TemporarilyUnavailable, "closed").WithReason(oauthkit.Reason(c))
	})
	return nil
}

// TestDetailForDevelopers checks that pages for the errors of an application, and no
// others, describe the error in English.
func TestDetailForDevelopers(t *testing.T) {
	handler := newPages(t, oauthhttp.Config{})
	for path, want := range map[string]string{
		"/o/authorize":         `<dt>Für Entwickler</dt><dd lang="en">client_id is missing or repeated</dd>`,
		"/o/authorize?a=%zz":   `<dd lang="en">the parameters are not form-encoded</dd>`,
		"/o/consent":           "",
		"/o/no-page-of-anyone": "",
	} {
		request := httptest.NewRequest(http.MethodGet, "https://as.test"+path, nil)
		request.Header.Set("Accept-Language", "de")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if page := recorder.Body.String(); !strings.Contains(page, want) || (want == "") == strings.Contains(page, `lang="en"`) {
			t.Errorf("%s: got %s, want %q", path, page, want)
		}
	}
}
