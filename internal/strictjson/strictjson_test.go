package strictjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

type inner struct {
	Name string `json:"name"`
}

type embedded struct {
	Promoted string `json:"promoted"`
	Hidden   inner  `json:"any"` // the outer field hides it
}

// raw decodes itself, so its members are not compared with fields.
type raw struct{ Value string }

func (r *raw) UnmarshalJSON(data []byte) error {
	r.Value = string(data)
	return nil
}

type target struct {
	embedded
	RedirectURIs []string         `json:"redirect_uris,omitempty"`
	Scope        string           `json:"scope"`
	Inner        *inner           `json:"inner"`
	List         []inner          `json:"list"`
	Map          map[string]inner `json:"map"`
	Any          any              `json:"any"`
	Raw          raw              `json:"raw"`
	Ignored      string           `json:"-"`
	Untagged     int
}

func TestUnmarshal(t *testing.T) {
	for _, c := range []struct {
		json string
		want target
	}{
		{`{}`, target{}},
		{" \n{ \"scope\" : \"a\" } \n", target{Scope: "a"}},
		{`{"redirect_uris":["a","b"],"promoted":"p","Untagged":1}`,
			target{RedirectURIs: []string{"a", "b"}, embedded: embedded{Promoted: "p"}, Untagged: 1}},
		{`{"unknown":{"name":1,"Name":2,"deep":[{"x":[]}]},"Unknown":2}`, target{}},
		{`{"inner":{"name":"a","scope":1,"Scope":2},"list":[{"name":"b"}],"map":{"name":{"name":"c"},"NAME":{"name":"d"}}}`,
			target{Inner: &inner{"a"}, List: []inner{{"b"}}, Map: map[string]inner{"name": {"c"}, "NAME": {"d"}}}},
		{`{"inner":null,"any":9007199254740993}`, target{Any: json.Number("9007199254740993")}},
		{`{"any":{"Name":1,"name":"2"}}`, target{Any: map[string]any{"Name": json.Number("1"), "name": "2"}}},
		{`{"raw":{"Value":1,"value":2}}`, target{Raw: raw{`{"Value":1,"value":2}`}}},
		{`{"ignored":1,"Ignored":2}`, target{}},
	} {
		var got target
		if err := Unmarshal([]byte(c.json), &got); err != nil {
			t.Errorf("Unmarshal(%s): %v", c.json, err)
		} else if !reflect.DeepEqual(got, c.want) {
			t.Errorf("Unmarshal(%s) = %+v, want %+v", c.json, got, c.want)
		}
	}
}

func TestUnmarshalRejects(t *testing.T) {
	for _, c := range []struct{ name, json, says string }{
		{"member twice", `{"scope":"a","scope":"b"}`, "twice"},
		{"member twice, escaped", `{"scope":"a","sc\u006fpe":"b"}`, "twice"},
		{"unknown member twice", `{"x":1,"x":1}`, "twice"},
		{"member twice inside an unknown member", `{"x":[{"y":{"z":1,"z":2}}]}`, "twice"},
		{"member twice in a map", `{"map":{"a":{},"a":{}}}`, "twice"},
		{"member twice in a type that decodes itself", `{"raw":{"a":1,"a":2}}`, "twice"},
		{"member twice, broken surrogates", `{"\ud800":1,"\udfff":2}`, "twice"},
		{"other case after the field", `{"redirect_uris":["https://rp.test"],"Redirect_URIs":["evil"]}`, "only in case"},
		{"other case alone", `{"SCOPE":"a"}`, "only in case"},
		{"long s", `{"redirect_uri` + "\u017f" + `":["evil"]}`, "only in case"},
		{"long s, escaped", `{"redirect_uri\u017f":["evil"]}`, "only in case"},
		{"other case of an untagged field", `{"untagged":1}`, "only in case"},
		{"other case of an embedded field", `{"Promoted":"x"}`, "only in case"},
		{"other case behind a pointer", `{"inner":{"Name":"x"}}`, "only in case"},
		{"other case in a list", `{"list":[{"name":"a"},{"NAME":"x"}]}`, "only in case"},
		{"other case in the values of a map", `{"map":{"a":{"Name":"x"}}}`, "only in case"},
		{"second value", `{} {}`, "after"},
		{"garbage after it", `{}x`, "after"},
		{"closing bracket after it", `{}}`, "after"},
		{"empty", ``, "unexpected EOF"},
		{"blanks only", `  `, "unexpected EOF"},
		{"unfinished", `{"scope":"a"`, "unexpected EOF"},
		{"unfinished member", `{"scope"`, "unexpected EOF"},
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
			var got target
			err := Unmarshal([]byte(c.json), &got)
			if err == nil {
				t.Fatalf("decoded as %+v", got)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("got error %q, want one with %q", err, c.says)
			}
		})
	}
}

func TestUnmarshalDepth(t *testing.T) {
	var got any
	if err := Unmarshal([]byte(strings.Repeat("[", 32)+strings.Repeat("]", 32)), &got); err != nil {
		t.Errorf("depth 32: %v", err)
	}
}

// FuzzUnmarshal compares Unmarshal with encoding/json. A document that Unmarshal
// accepts has one meaning, so a map that it is decoded into holds the same scope under
// the exact name.
func FuzzUnmarshal(f *testing.F) {
	for _, s := range []string{
		`{"scope":"a"}`, `{"scope":"a","Scope":"b"}`, `{"\u017fcope":"a"}`, `{"scope":"a","x":{"y":[1,{}]}}`, `{}{}`, `null`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got struct {
			Scope string `json:"scope"`
		}
		if Unmarshal(data, &got) != nil {
			return
		}
		var members map[string]any
		if err := json.Unmarshal(data, &members); err != nil {
			t.Fatalf("Unmarshal accepts %q, json.Unmarshal returns %v", data, err)
		}
		if scope, _ := members["scope"].(string); scope != got.Scope {
			t.Errorf("%q: scope %q in the struct, %q in the map", data, got.Scope, scope)
		}
	})
}
