package oidc_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/oauthkit/oauthkit/oidc"
)

func TestClaimsRoundTrip(t *testing.T) {
	yes, no := true, false
	tests := map[string]struct {
		claims oidc.Claims
		text   string
	}{
		"empty": {oidc.Claims{}, `{}`},
		"example of section 5.3.2": {
			oidc.Claims{Name: "Jane Doe", GivenName: "Jane", FamilyName: "Doe", PreferredUsername: "j.doe", Email: "janedoe@example.com", Picture: "http://example.com/janedoe/me.jpg"},
			`{"email":"janedoe@example.com","family_name":"Doe","given_name":"Jane","name":"Jane Doe","picture":"http://example.com/janedoe/me.jpg","preferred_username":"j.doe"}`,
		},
		"not verified": {
			oidc.Claims{Email: "a@b.test", EmailVerified: &no, PhoneNumber: "+1", PhoneNumberVerified: &yes},
			`{"email":"a@b.test","email_verified":false,"phone_number":"+1","phone_number_verified":true}`,
		},
		"address": {
			oidc.Claims{Address: &oidc.Address{Formatted: "1 Road\nTown", StreetAddress: "1 Road", Locality: "Town", Region: "R", PostalCode: "0", Country: "C"}},
			`{"address":{"formatted":"1 Road\nTown","street_address":"1 Road","locality":"Town","region":"R","postal_code":"0","country":"C"}}`,
		},
		"all of profile": {
			oidc.Claims{
				Name: "a", GivenName: "b", FamilyName: "c", MiddleName: "d", Nickname: "e", PreferredUsername: "f", Profile: "g", Picture: "h",
				Website: "i", Gender: "j", Birthdate: "k", Zoneinfo: "l", Locale: "m", UpdatedAt: 1311280970,
			},
			`{"birthdate":"k","family_name":"c","gender":"j","given_name":"b","locale":"m","middle_name":"d","name":"a","nickname":"e","picture":"h","preferred_username":"f","profile":"g","updated_at":1311280970,"website":"i","zoneinfo":"l"}`,
		},
		"extra claims": {
			oidc.Claims{Name: "A", Extra: map[string]any{"name#ja": "あ", "groups": []any{"x"}, "id": json.Number("9007199254740993")}},
			`{"groups":["x"],"id":9007199254740993,"name":"A","name#ja":"あ"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(test.claims)
			if err != nil || string(text) != test.text {
				t.Errorf("got %s and %v, want %s", text, err, test.text)
			}
			var claims oidc.Claims
			if err := json.Unmarshal([]byte(test.text), &claims); err != nil || !reflect.DeepEqual(claims, test.claims) {
				t.Errorf("got %+v and %v, want %+v", claims, err, test.claims)
			}
		})
	}
}

func TestClaimsFieldsTakePrecedence(t *testing.T) {
	text, err := json.Marshal(oidc.Claims{Name: "Alice", Extra: map[string]any{"name": "Mallory", "nickname": "Al"}})
	if want := `{"name":"Alice","nickname":"Al"}`; err != nil || string(text) != want {
		t.Errorf("got %s and %v, want %s", text, err, want)
	}
}

func TestClaimsRejects(t *testing.T) {
	for name, text := range map[string]string{
		"not an object":            `["name"]`,
		"U-07 verified as text":    `{"email_verified":"true"}`,
		"a member twice":           `{"name":"a","name":"b"}`,
		"a member in another case": `{"Email":"a@b.test"}`,
		"time as text":             `{"updated_at":"2026-01-01T00:00:00Z"}`,
		"address as text":          `{"address":"1 Road"}`,
		"incomplete":               `{`,
	} {
		before := oidc.Claims{Name: "Alice"}
		claims := before
		if err := json.Unmarshal([]byte(text), &claims); err == nil || !reflect.DeepEqual(claims, before) {
			t.Errorf("%s: got %+v and %v, want an error and nothing changed", name, claims, err)
		}
	}
}

// FuzzClaims checks that claims which can be decoded can be encoded, and that decoding
// the result returns the same claims.
func FuzzClaims(f *testing.F) {
	for _, text := range []string{
		`{}`, `null`, `{"name":"a","name#ja":"b","groups":[{"x":1e400}]}`, `{"email":"a","email_verified":false,"EMAIL":1}`,
		`{"address":{"country":"x","planet":"y"},"updated_at":1}`, `{"name":null,"a":null}`, `{"updated_at":-0}`, `{"":0}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var claims, again oidc.Claims
		if json.Unmarshal(text, &claims) != nil {
			return
		}
		written, err := json.Marshal(claims)
		if err != nil {
			t.Fatalf("got %v when encoding the claims of %s", err, text)
		}
		if err := json.Unmarshal(written, &again); err != nil || !reflect.DeepEqual(again, claims) {
			t.Errorf("got %+v and %v from %s, want %+v", again, err, written, claims)
		}
	})
}
