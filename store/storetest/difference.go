package storetest

import (
	"fmt"
	"reflect"
	"time"
)

// differences compares as the contract requires: equal instants are equal times, and an
// empty list equals nil. It names the field of each difference.
func differences(name string, got, want any) []string {
	return differ(name, reflect.ValueOf(got), reflect.ValueOf(want))
}

func differ(name string, got, want reflect.Value) []string {
	if !got.IsValid() || !want.IsValid() || got.Type() != want.Type() {
		return []string{fmt.Sprintf("%s: got a %T, want a %T", name, got, want)}
	}
	switch got.Kind() {
	case reflect.Pointer:
		if got.IsNil() || want.IsNil() {
			return unless(got.IsNil() == want.IsNil(), name, got, want)
		}
		return differ(name, got.Elem(), want.Elem())
	case reflect.Struct:
		if instant, ok := got.Interface().(time.Time); ok {
			return unless(instant.Equal(want.Interface().(time.Time)), name, got, want)
		}
		var found []string
		for i := range got.NumField() {
			if field := got.Type().Field(i); field.IsExported() {
				found = append(found, differ(name+"."+field.Name, got.Field(i), want.Field(i))...)
			}
		}
		return found
	case reflect.Slice, reflect.Map:
		bothEmpty := got.Len() == 0 && want.Len() == 0
		return unless(bothEmpty || reflect.DeepEqual(got.Interface(), want.Interface()), name, got, want)
	default:
		return unless(got.Interface() == want.Interface(), name, got, want)
	}
}

func unless(same bool, name string, got, want reflect.Value) []string {
	if same {
		return nil
	}
	return []string{fmt.Sprintf("%s: got %.200q, want %.200q", name, fmt.Sprint(got), fmt.Sprint(want))}
}
