package oauthhttp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// post returns a request with a body of the given type.
func post(contentType, body string) *http.Request {
	request := httptest.NewRequest(http.MethodPost, "/o/token?grant_type=query", strings.NewReader(body))
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return request
}

const formType = "application/x-www-form-urlencoded"

func TestReadForm(t *testing.T) {
	tests := map[string]struct {
		contentType, body string
		want              int // the status of the error; if 0, the form is accepted
	}{
		"empty":                     {formType, "", 0},
		"form":                      {formType, "a=1&b=2", 0},
		"form in UTF-8":             {formType + "; charset=UTF-8", "a=%C3%A9", 0},
		"RFC 8707 resources":        {formType, "resource=a&resource=b", 0},
		"T-02 JSON":                 {"application/json", `{"a":1}`, http.StatusUnsupportedMediaType},
		"T-02 multipart":            {"multipart/form-data; boundary=x", "", http.StatusUnsupportedMediaType},
		"T-02 plain":                {"text/plain", "a=1", http.StatusUnsupportedMediaType},
		"T-02 none":                 {"", "a=1", http.StatusUnsupportedMediaType},
		"T-02 UTF-16":               {formType + "; charset=utf-16", "a=1", http.StatusUnsupportedMediaType},
		"T-04 repeated":             {formType, "a=1&a=1", http.StatusBadRequest},
		"T-04 repeated scope":       {formType, "resource=a&scope=a&scope=b", http.StatusBadRequest},
		"T-05 semicolon":            {formType, "grant_type=a;client_id=b", http.StatusBadRequest},
		"T-05 bad escape":           {formType, "a=%zz", http.StatusBadRequest},
		"T-07 large":                {formType, "a=" + strings.Repeat("x", wire.MaxBody), http.StatusRequestEntityTooLarge},
		"T-07 many":                 {formType, strings.Repeat("a&", maxParameters) + "b", http.StatusBadRequest},
		"T-07 long value":           {formType, "a=" + strings.Repeat("x", 2*maxValue), http.StatusBadRequest},
		"T-08 NUL":                  {formType, "a=%00", http.StatusBadRequest},
		"T-09 not UTF-8":            {formType, "a=%ff%fe", http.StatusBadRequest},
		"T-09 surrogate":            {formType, "a=%ed%a0%80", http.StatusBadRequest},
		"two kinds of body at once": {formType + ", application/json", "a=1", http.StatusUnsupportedMediaType},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			form, err := readForm(httptest.NewRecorder(), post(test.contentType, test.body), "resource")
			got := 0
			if err != nil {
				got = wire.Status(err)
			}
			if got != test.want {
				t.Errorf("got status %d (%v), want %d", got, err, test.want)
			}
			if form.Get("grant_type") == "query" {
				t.Error("T-03: the query was read")
			}
			if err != nil && form != nil {
				t.Errorf("got the incomplete form %v with the error %v, want no form", form, err)
			}
		})
	}
}

func TestT25_CompressedBody(t *testing.T) {
	request := post(formType, "a=1")
	request.Header.Set("Content-Encoding", "gzip")
	if _, err := readForm(httptest.NewRecorder(), request); err == nil || wire.Status(err) != http.StatusUnsupportedMediaType {
		t.Errorf("got %v, want 415", err)
	}
}

// FuzzReadForm checks accepted forms against the properties that the library relies on.
func FuzzReadForm(f *testing.F) {
	for _, seed := range []string{"", "a=1&b=2", "a=1&a=2", "a=%zz", "a;b", "a=%00", "%61=1&a=2", "resource=1&resource=2", "=&=", "a=+%2B", "&&&"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := readForm(httptest.NewRecorder(), post(formType, body))
		if err != nil {
			if form != nil {
				t.Fatalf("got a form with the error %v", err)
			}
			if code := oauthkit.CodeOf(err); code != oauthkit.InvalidRequest {
				t.Fatalf("got %s, want invalid_request", code)
			}
			return
		}
		for name, values := range form {
			if len(values) != 1 && name != "resource" {
				t.Errorf("%q has %d values", name, len(values))
			}
			for _, value := range values {
				if !wire.IsText(value) || len(value) > maxValue {
					t.Errorf("%q has a value that cannot be stored", name)
				}
			}
		}
		again, err := url.ParseQuery(form.Encode())
		if err != nil || len(again) != len(form) {
			t.Errorf("the form does not survive being encoded: %v, %v", again, err)
		}
	})
}
