// Package strictjson decodes JSON from untrusted sources: request bodies, claims
// parameters, tokens and responses of other servers.
//
// It accepts only documents that every parser reads in the same way.
package strictjson

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

// maxDepth is the deepest nesting of objects and arrays that Unmarshal accepts.
const maxDepth = 32

// Unmarshal decodes one JSON value into v, like [json.Unmarshal], but rejects every
// document that two parsers could read differently: a member that occurs twice in an
// object (RFC 8259 §4), a member that differs from a field of v only in case
// (encoding/json would fill the field with it), text that is not UTF-8, nesting
// deeper than 32, and data after the value.
//
// It ignores members that v has no field for. A number decoded into an any is a
// [json.Number]. After an error v may be partly filled. Unmarshal does not limit the
// size of data; the caller must.
func Unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("strictjson: the text is not UTF-8")
	}
	w := walker{json.NewDecoder(bytes.NewReader(data))}
	w.decoder.UseNumber()
	if err := w.value(reflect.TypeOf(v), 0); err != nil {
		return fmt.Errorf("strictjson: %w", err)
	}
	if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("strictjson: data after the JSON value")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("strictjson: %w", err)
	}
	return nil
}

// walker reads a JSON text alongside the Go type that it is decoded into.
type walker struct{ decoder *json.Decoder }

// value reads one value of type t. If t is nil, no member is compared with field names.
func (w walker) value(t reflect.Type, depth int) error {
	token, err := w.decoder.Token()
	if err != nil {
		return syntaxError(err)
	}
	if _, ok := token.(json.Delim); !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	t = elem(t)
	if token == json.Delim('{') {
		err = w.members(t, depth)
	} else {
		err = w.elements(t, depth)
	}
	if err != nil {
		return err
	}
	_, err = w.decoder.Token() // the closing bracket
	return syntaxError(err)
}

func (w walker) elements(t reflect.Type, depth int) error {
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

func (w walker) members(t reflect.Type, depth int) error {
	fields := map[string]reflect.Type{}
	if t != nil && t.Kind() == reflect.Struct {
		addFields(fields, t)
	}
	seen := map[string]bool{}
	for w.decoder.More() {
		token, err := w.decoder.Token()
		if err != nil {
			return syntaxError(err)
		}
		name := token.(string) // the decoder has rejected every other token
		if seen[name] {
			return errors.New("an object has the same member twice")
		}
		seen[name] = true
		member, exact := fields[name]
		if !exact {
			for field := range fields {
				if strings.EqualFold(field, name) {
					return fmt.Errorf("an object has a member that differs from %q only in case", field)
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

// elem removes the pointers from t. It returns nil for a type that decodes itself.
func elem(t reflect.Type) reflect.Type {
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

// addFields adds to fields the members that encoding/json fills in struct t. Fields
// of embedded structs come last, because outer fields hide them.
func addFields(fields map[string]reflect.Type, t reflect.Type) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if e := elem(f.Type); f.Anonymous && name == "" && e != nil && e.Kind() == reflect.Struct {
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

// syntaxError replaces io.EOF, which callers would take for the end of the input, by
// an error that says that the text is incomplete.
func syntaxError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
