package wire

import (
	"net/http"
	"net/url"
	"testing"
)

func TestReadBearer(t *testing.T) {
	inBody := url.Values{"access_token": {"body"}}
	tests := map[string]struct {
		header []string
		form   url.Values
		want   string
		status int
	}{
		"header":                                 {header: []string{"Bearer token"}, want: "token"},
		"U-05 lower case":                        {header: []string{"bearer token"}, want: "token"},
		"padded":                                 {header: []string{"Bearer to-k.e_n~+/=="}, want: "to-k.e_n~+/=="},
		"body":                                   {form: inBody, want: "body"},
		"U-01 none":                              {status: 401},
		"U-05 other scheme":                      {header: []string{"Basic dG9rZW46"}, status: 401},
		"U-05 longer scheme":                     {header: []string{"BearerX token"}, status: 401},
		"U-05 two blanks":                        {header: []string{"Bearer  token"}, status: 400},
		"U-05 two tokens":                        {header: []string{"Bearer a b"}, status: 400},
		"U-05 two headers":                       {header: []string{"Bearer a", "Bearer a"}, status: 400},
		"empty":                                  {header: []string{"Bearer "}, status: 400},
		"only padding":                           {header: []string{"Bearer =="}, status: 400},
		"padding in the middle":                  {header: []string{"Bearer a=b"}, status: 400},
		"U-04 two places":                        {header: []string{"Bearer token"}, form: inBody, status: 400},
		"U-04 two places, one of another scheme": {header: []string{"Basic x"}, form: inBody, status: 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ReadBearer(http.Header{"Authorization": test.header}, test.form)
			status := 0
			if err != nil {
				status = Status(err)
			}
			if got != test.want || status != test.status {
				t.Errorf("got %q, %v; want %q and status %d", got, err, test.want, test.status)
			}
			if IsNoToken(err) != (test.status == 401) {
				t.Errorf("got %v, want a request without a token to differ from one with a malformed token", err)
			}
		})
	}
}
