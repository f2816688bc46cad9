package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing/fstest"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// deviceExtension has a page on which users enter the code of a device. Its templates can
// be an embed.FS.
type deviceExtension struct{}

// devicePage is the data of the page.
type devicePage struct {
	oauthhttp.Page
	Action, Token string
}

func (deviceExtension) Pages() oauthhttp.Pages {
	return oauthhttp.Pages{
		Templates: fstest.MapFS{"device.html": {Data: []byte(`{{define "content"}}<h1>{{t "device.heading"}}</h1>
<form method="post" action="{{.Action}}"><input type="hidden" name="token" value="{{.Token}}">
<label for="code">{{t "device.code"}}</label><input id="code" name="code"></form>{{end}}`)}},
		Texts: map[string]oauthhttp.Texts{
			"en": {"device.heading": "Connect a device", "device.code": "Code"},
			"de": {"device.heading": "Gerät verbinden", "device.code": "Code"},
		},
		Samples: map[string][]oauthhttp.PageContent{"device": {&devicePage{Action: "x", Token: "x"}}},
	}
}

func (e deviceExtension) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{Path: "device", Methods: []string{http.MethodGet, http.MethodPost}, User: e.serve})
	return nil
}

func (deviceExtension) serve(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	handler, err := oauthhttp.HandlerFrom(r.Context())
	if err != nil {
		return err
	}
	const action = "/o/device"
	if r.Method == http.MethodPost {
		form, err := handler.ReadForm(w, r, action, user) // of this site, user and browser
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s has the code %s", user.Subject, form.Get("code"))
		return err
	}
	content := &devicePage{Action: action, Token: handler.NewFormToken(w, r, action, user)}
	return handler.WritePage(w, r, oauthhttp.PageResponse{Name: "device", Title: "device.heading", User: user}, content)
}

// An extension serves a page in the library's design and in the user's language. The host
// could replace it by a device.html of its own.
func ExamplePageExtension() {
	provider, err := oauthkit.New("https://example.com/o", memstore.New(), oauthkit.Config{
		Extensions: []oauthkit.Extension{deviceExtension{}},
	})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{CurrentUser: alice})
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequest(http.MethodGet, "https://example.com/o/device", nil)
	request.Header.Set("Accept-Language", "de")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	fmt.Println(recorder.Code, regexp.MustCompile(`<h1>.*</h1>`).FindString(recorder.Body.String()))
	// Output:
	// 200 <h1>Gerät verbinden</h1>
}
