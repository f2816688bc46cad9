package oauthhttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// elsewhereStore drops tokens, as if they were stored in another process.
type elsewhereStore struct{ *memstore.Store }

func (elsewhereStore) SaveTokens(context.Context, *oauthkit.Authorization, oauthkit.Tokens) error {
	return nil
}

// TestRL36_NothingForEachToken issues tokens, and introspects as many unknown ones.
// The heap must not grow with their number.
func TestRL36_NothingForEachToken(t *testing.T) {
	store := elsewhereStore{memstore.New()}
	app := &oauthkit.AbstractApplication{
		ClientID: "machine", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	}
	secret := app.GenerateSecret()
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{Grants: []oauthkit.Grant{grants.ClientCredentials(store)}})
	if err != nil {
		t.Fatal(err)
	}
	handler := mustHandler(t, provider, oauthhttp.Config{})
	post := func(path string, form url.Values) {
		request := httptest.NewRequest(http.MethodPost, "https://as.test/o/"+path, strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth("machine", secret)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusOK {
			t.Fatalf("%s: got %d: %s", path, recorder.Code, recorder.Body)
		}
	}
	const requests = 10_000
	send := func() {
		for i := range requests {
			post("token", url.Values{"grant_type": {"client_credentials"}})
			post("introspect", url.Values{"token": {"oat_" + strconv.Itoa(i)}})
		}
	}
	send() // fills the pools
	before := heap()
	send()
	if grown := int64(heap()) - int64(before); grown > 16*requests {
		t.Errorf("the heap grew by %d bytes after %d tokens, want no growth per token", grown, requests)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // frees the memory of pools and finalizers
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return memory.HeapAlloc
}
