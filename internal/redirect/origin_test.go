package redirect

import "testing"

func TestOrigin(t *testing.T) {
	for address, want := range map[string]string{
		"https://rp.test/cb?x=1":              "https://rp.test",
		"https://rp.test:443/cb":              "https://rp.test",
		"https://rp.test:8443/cb":             "https://rp.test:8443",
		"http://127.0.0.1:80/":                "http://127.0.0.1",
		"http://[::1]:4000/":                  "http://[::1]:4000",
		"http://rp.test/":                     "",
		"https://user@rp.test/":               "",
		"https://rp.test;script-src *.evil/x": "",
		"javascript:alert(1)":                 "",
		"javascript://rp.test/%0aalert(1)":    "",
		"data:text/html,x":                    "",
		"com.example.app:/cb":                 "",
		"//rp.test/":                          "",
		"":                                    "",
		"https://rp.test:0/":                  "",
		"%":                                   "",
	} {
		if got := Origin(address); got != want {
			t.Errorf("Origin(%q): got %q, want %q", address, got, want)
		}
	}
}
