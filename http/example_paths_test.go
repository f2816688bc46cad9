package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// A host whose router needs every path gets the list from the handler.
func ExampleHandler_Paths() {
	handler, err := oauthhttp.NewHandler(galleryProvider(), oauthhttp.Config{Groups: []oauthhttp.Group{oauthhttp.GroupBase}})
	if err != nil {
		panic(err)
	}
	router := http.NewServeMux()
	for _, path := range handler.Paths() {
		router.Handle("/o/"+path, handler.Endpoint(path))
		fmt.Println(path)
	}
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/o/token", nil))
	fmt.Println(recorder.Code)
	// Output:
	// authorize
	// consent
	// introspect
	// oauthkit.css
	// revoke_token
	// token
	// 415
}
