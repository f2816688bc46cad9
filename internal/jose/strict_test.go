package jose

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

type strictInner struct {
	Name string `json:"name"`
}

type strictEmbedded struct {
	Promoted string      `json:"promoted"`
	Hidden   strictInner `json:"any"` // the outer field hides it
}

// strictRaw decodes itself, so its members are nobody's fields.
type strictRaw struct{ Value string }

func (r *strictRaw) UnmarshalJSON(data []byte) error {
	r.Value = string(data)
	return nil
}

type strictTarget struct {
	strictEmbedded
	RedirectURIs []string               `json:"redirect_uris,omitempty"`
	Scope        string                 `json:"scope"`
	Inner        *strictInner           `json:"inner"`
	List         []strictInner          `json:"list"`
	Map          map[string]strictInner `json:"map"`
	Any          any                    `json:"any"`
	Raw          strictRaw              `json:"raw"`
	Ignored      string                 `json:"-"`
	Untagged     int
}

func TestDecodeStrict(t *testing.T) {
	for _, c := range []struct {
		json string
		want strictTarget
	}{
		{`{}`, strictTarget{}},
		{" \n{ \"scope\" : \"a\" } \n", strictTarget{Scope: "a"}},
		{`{"redirect_uris":["a","b"],"promoted":"p","Untagged":1}`,
			strictTarget{RedirectURIs: []string{"a", "b"}, strictEmbedded: strictEmbedded{Promoted: "p"}, Untagged: 1}},
		{`{"unknown":{"name":1,"Name":2,"deep":[{"x":[]}]},"Unknown":2}`, strictTarget{}},
		{`{"inner":{"name":"a","scope":1,"Scope":2},"list":[{"name":"b"}],"map":{"name":{"name":"c"},"NAME":{"name":"d"}}}`,
			strictTarget{Inner: &strictInner{"a"}, List: []strictInner{{"b"}}, Map: map[string]strictInner{"name": {"c"}, "NAME": {"d"}}}},
		{`{"inner":null,"any":9007199254740993}`, strictTarget{Any: json.Number("9007199254740993")}},
		{`{"any":{"Name":1,"name":"2"}}`, strictTarget{Any: map[string]any{"Name": json.Number("1"), "name": "2"}}},
		{`{"raw":{"Value":1,"value":2}}`, strictTarget{Raw: strictRaw{`{"Value":1,"value":2}`}}},
		{`{"ignored":1,"Ignored":2}`, strictTarget{}},
	} {
		var got strictTarget
		if err := DecodeStrict([]byte(c.json), &got); err != nil {
			t.Errorf("DecodeStrict(%s): %v", c.json, err)
		} else if !reflect.DeepEqual(got, c.want) {
			t.Errorf("DecodeStrict(%s) = %+v, want %+v", c.json, got, c.want)
		}
	}
}

func TestDecodeStrictRefuses(t *testing.T) {
	for _, c := range []struct{ name, json, says string }{
		{"member twice", `{"scope":"a","scope":"b"}`, "twice"},
		{"member twice, escaped", `{"scope":"a","sc\u006fpe":"b"}`, "twice"},
		{"unknown member twice", `{"x":1,"x":1}`, "twice"},
		{"member twice inside an unknown member", `{"x":[{"y":{"z":1,"z":2}}]}`, "twice"},
		{"member twice in a map", `{"map":{"a":{},"a":{}}}`, "twice"},
		{"member twice in a type that decodes itself", `{"raw":{"a":1,"a":2}}`, "twice"},
		{"member twice, broken surrogates", `{"\ud800":1,"\udfff":2}`, "twice"},
		{"other case after the field", `{"redirect_uris":["good"],"Redirect_URIs":["evil"]}`, "almost"},
		{"other case alone", `{"SCOPE":"a"}`, "almost"},
		{"long s", `{"redirect_uri` + "\u017f" + `":["evil"]}`, "almost"},
		{"long s, escaped", `{"redirect_uri\u017f":["evil"]}`, "almost"},
		{"other case of an untagged field", `{"untagged":1}`, "almost"},
		{"other case of an embedded field", `{"Promoted":"x"}`, "almost"},
		{"other case behind a pointer", `{"inner":{"Name":"x"}}`, "almost"},
		{"other case in a list", `{"list":[{"name":"a"},{"NAME":"x"}]}`, "almost"},
		{"other case in the values of a map", `{"map":{"a":{"Name":"x"}}}`, "almost"},
		{"second value", `{} {}`, "after"},
		{"garbage behind", `{}x`, "after"},
		{"closing bracket behind", `{}}`, "after"},
		{"nothing", ``, "early"},
		{"blanks only", `  `, "early"},
		{"unfinished", `{"scope":"a"`, "early"},
		{"unfinished member", `{"scope"`, "early"},
		{"unfinished text", `{"scope":"a`, ""},
		{"not UTF-8", "{\"scope\":\"\xff\"}", "UTF-8"},
		{"depth 33", strings.Repeat("[", 33) + strings.Repeat("]", 33), "deeper"},
		{"depth 33 in a member", `{"any":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "deeper"},
		{"depth of a megabyte", strings.Repeat("[", 1<<20), "deeper"},
		{"wrong type", `{"scope":1}`, "scope"},
		{"number as name", `{1:2}`, ""},
		{"comma at the end", `{"scope":"a",}`, ""},
		{"missing comma", `{"any":[1 2]}`, ""},
		{"comment", `{/**/}`, ""},
		{"single quotes", `{'scope':'a'}`, ""},
		{"NaN", `{"any":NaN}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got strictTarget
			err := DecodeStrict([]byte(c.json), &got)
			if err == nil {
				t.Fatalf("decoded as %+v", got)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q, want one with %q", err, c.says)
			}
		})
	}
}

func TestDecodeStrictDepth(t *testing.T) {
	var got any
	if err := DecodeStrict([]byte(strings.Repeat("[", 32)+strings.Repeat("]", 32)), &got); err != nil {
		t.Errorf("depth 32: %v", err)
	}
}

// FuzzDecodeStrict compares with encoding/json: what passes has one meaning, so
// decoding it into a map and reading the exact name gives the same scope.
func FuzzDecodeStrict(f *testing.F) {
	for _, s := range []string{
		`{"scope":"a"}`, `{"scope":"a","Scope":"b"}`, `{"\u017fcope":"a"}`, `{"scope":"a","x":{"y":[1,{}]}}`, `{}{}`, `null`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got struct {
			Scope string `json:"scope"`
		}
		if DecodeStrict(data, &got) != nil {
			return
		}
		var members map[string]any
		if err := json.Unmarshal(data, &members); err != nil {
			t.Fatalf("DecodeStrict passes %q, json.Unmarshal says %v", data, err)
		}
		if scope, _ := members["scope"].(string); scope != got.Scope {
			t.Errorf("%q: scope %q in the struct, %q in the map", data, got.Scope, scope)
		}
	})
}
