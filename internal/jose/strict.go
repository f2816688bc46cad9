package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// maxDepth is how many objects and arrays may be nested in strict JSON.
const maxDepth = 32

// DecodeStrict decodes one JSON value that somebody else wrote, like
// json.Unmarshal, and refuses what two parsers could read differently: a member
// that occurs twice in an object (RFC 8259 §4), a member that differs from a
// field of v only in case (encoding/json would take it for the field), text
// that is not UTF-8, nesting deeper than 32 and anything after the value.
//
// Members that v does not know are ignored. Numbers that land in an any are
// json.Number. On an error v may be partly filled. The size of data is the
// caller's to limit.
func DecodeStrict(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("jose: the JSON is not UTF-8")
	}
	w := strictWalk{json.NewDecoder(bytes.NewReader(data))}
	w.decoder.UseNumber()
	if err := w.value(reflect.TypeOf(v), 0); err != nil {
		return fmt.Errorf("jose: %w", err)
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("jose: there is more after the JSON value")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("jose: %w", err)
	}
	return nil
}

// strictWalk reads a JSON text beside the Go type it will be decoded into.
type strictWalk struct{ decoder *json.Decoder }

// value reads one value. The type is nil where Go's decoder matches no field
// names.
func (w strictWalk) value(t reflect.Type, depth int) error {
	token, err := w.decoder.Token()
	if err != nil {
		return syntax(err)
	}
	if _, ok := token.(json.Delim); !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("the JSON is nested deeper than %d", maxDepth)
	}
	t = plain(t)
	if token == json.Delim('{') {
		err = w.members(t, depth)
	} else {
		err = w.elements(t, depth)
	}
	if err != nil {
		return err
	}
	_, err = w.decoder.Token() // the closing bracket
	return syntax(err)
}

func (w strictWalk) elements(t reflect.Type, depth int) error {
	var element reflect.Type
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		element = t.Elem()
	}
	for w.decoder.More() {
		if err := w.value(element, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w strictWalk) members(t reflect.Type, depth int) error {
	fields := map[string]reflect.Type{}
	if t != nil && t.Kind() == reflect.Struct {
		addFields(fields, t)
	}
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.decoder.Token()
		if err != nil {
			return syntax(err)
		}
		name := token.(string) // the decoder lets nothing else stand here
		if seen[name] {
			return errors.New("a JSON object has the same member twice")
		}
		seen[name] = true
		member, known := fields[name]
		if !known {
			for field := range fields {
				if strings.EqualFold(field, name) {
					return fmt.Errorf("a JSON object has a member that is almost %q", field)
				}
			}
		}
		if t != nil && t.Kind() == reflect.Map {
			member = t.Elem()
		}
		if err := w.value(member, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// plain removes pointers from t and forgets types that decode themselves.
func plain(t reflect.Type) reflect.Type {
	for t != nil {
		if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			return nil
		}
		if t.Kind() != reflect.Pointer {
			return t
		}
		t = t.Elem()
	}
	return nil
}

// addFields lists the members that encoding/json fills in struct t. Fields of
// embedded structs come last, because outer fields hide them.
func addFields(fields map[string]reflect.Type, t reflect.Type) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if e := plain(f.Type); f.Anonymous && name == "" && e != nil && e.Kind() == reflect.Struct {
			embedded = append(embedded, e)
			continue
		}
		if !f.IsExported() || tag == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if _, hidden := fields[name]; !hidden {
			fields[name] = f.Type
		}
	}
	for _, e := range embedded {
		addFields(fields, e)
	}
}

// syntax tells an unfinished text from the end that io.EOF would suggest.
func syntax(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}
