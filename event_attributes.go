package oauthkit

import (
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// EventAttributes returns the fields of an event for a log, in their order: under their names in snake_case, but client_id for
// ApplicationID, and without those that are empty, zero or false. Scopes are one text, as in a request.
func EventAttributes(event Event) []slog.Attr {
	fields := reflect.ValueOf(event)
	attributes := make([]slog.Attr, 0, fields.NumField())
	for i := range fields.NumField() {
		if field := fields.Field(i); !field.IsZero() {
			attributes = append(attributes, slog.Attr{Key: attributeName(fields.Type().Field(i).Name), Value: attributeValue(field)})
		}
	}
	return attributes
}

// EventLabels returns the names of those attributes that have few values, whatever anybody sends, and that tell of no user. Only
// by them should a metric be divided.
func EventLabels() []string {
	return []string{"code", "credential", "endpoint", "grant_type", "method", "reason"}
}

// attributeName puts an underscore wherever a new word begins.
func attributeName(field string) string {
	if field == "ApplicationID" {
		return "client_id"
	}
	var name strings.Builder
	var last rune
	for _, letter := range field {
		if unicode.IsUpper(letter) && unicode.IsLower(last) {
			name.WriteByte('_')
		}
		name.WriteRune(unicode.ToLower(letter))
		last = letter
	}
	return name.String()
}

func attributeValue(field reflect.Value) slog.Value {
	switch value := field.Interface().(type) {
	case Scopes:
		return slog.StringValue(value.String())
	case map[string]int:
		var members []slog.Attr
		for _, name := range slices.Sorted(maps.Keys(value)) {
			members = append(members, slog.Int(name, value[name]))
		}
		return slog.GroupValue(members...)
	}
	if field.Kind() == reflect.String { // of a type of its own, such as RevocationReason
		return slog.StringValue(field.String())
	}
	return slog.AnyValue(field.Interface())
}
