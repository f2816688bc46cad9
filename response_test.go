package oauthkit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestResponseTypesColumn checks that the column keeps the list, and that a row
// written elsewhere is read with sorted words.
func TestResponseTypesColumn(t *testing.T) {
	for stored, want := range map[any]ResponseTypes{
		nil:                                 nil,
		"":                                  nil,
		" , ":                               nil,
		"code":                              {"code"},
		"code id_token,token":               {"code id_token", "token"},
		" id_token  code ,\ttoken\n,":       {"code id_token", "token"},
		"id_token token,code,code id_token": {"id_token token", "code", "code id_token"},
	} {
		got := ResponseTypes{"before"}
		if err := got.Scan(stored); err != nil || !slices.Equal(got, want) {
			t.Errorf("Scan(%q): got %q, %v; want %q", stored, got, err, want)
		}
		if text, ok := stored.(string); ok {
			if err := got.Scan([]byte(text)); err != nil || !slices.Equal(got, want) {
				t.Errorf("Scan of the bytes %q: got %q, %v; want %q", stored, got, err, want)
			}
		}
		value, err := want.Value()
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Scan(value); err != nil || !slices.Equal(got, want) {
			t.Errorf("Scan(%q): got %q, %v; want %q as saved", value, got, err, want)
		}
	}
	if err := new(ResponseTypes).Scan(42); err == nil {
		t.Error("Scan(42): got no error, want one")
	}
}

func TestEmptyResponseTypesAllocateNothing(t *testing.T) {
	var column any = ""
	var types ResponseTypes
	if got := testing.AllocsPerRun(100, func() {
		if err := types.Scan(column); err != nil || !types.allows(ResponseTypeCode) {
			t.Fatal(types, err)
		}
	}); got > 0 {
		t.Errorf("got %v allocations, want none for an application that uses only codes", got)
	}
}

func TestResponseTypeInJSON(t *testing.T) {
	var types ResponseTypes
	if err := json.Unmarshal([]byte(`["token id_token code","code"]`), &types); err != nil {
		t.Fatal(err)
	}
	if want := (ResponseTypes{"code id_token token", "code"}); !slices.Equal(types, want) {
		t.Errorf("got %q, want %q, with sorted words", types, want)
	}
	if document, err := json.Marshal(types); err != nil || string(document) != `["code id_token token","code"]` {
		t.Errorf("got %s, %v; want the list", document, err)
	}
}

func TestAllowedResponseTypes(t *testing.T) {
	for _, tc := range []struct {
		listed  ResponseTypes
		allowed ResponseTypes
	}{
		{nil, ResponseTypes{"code"}},
		{ResponseTypes{"code id_token"}, ResponseTypes{"code id_token"}},
		{ResponseTypes{"code", "token"}, ResponseTypes{"code", "token"}},
	} {
		for _, asked := range []ResponseType{"", "code", "token", "id_token", "code id_token", "code token"} {
			app := &AbstractApplication{ResponseTypes: tc.listed}
			if got, want := AllowsResponseType(app, asked), slices.Contains(tc.allowed, asked); got != want {
				t.Errorf("%q with %q: got %t, want %t", asked, tc.listed, got, want)
			}
		}
	}
}

// FuzzResponseTypes checks that a valid list is stored and read unchanged.
func FuzzResponseTypes(f *testing.F) {
	for _, seed := range []string{"", "code", "token id_token", "code,code", "code\x00id_token", "a b\x00c", "\x00", strings.Repeat("x", 101), "é", "NONE_1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		var types ResponseTypes
		for text := range strings.SplitSeq(list, "\x00") {
			types = append(types, ParseResponseType(text))
		}
		var problems Problems
		types.validate(&problems)
		if len(problems) > 0 {
			return
		}
		value, err := types.Value()
		if err != nil {
			t.Fatal(err)
		}
		var read ResponseTypes
		if err := read.Scan(value); err != nil || !slices.Equal(read, types) {
			t.Errorf("got %q, %v; want %q", read, err, types)
		}
	})
}
