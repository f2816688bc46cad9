package request

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
)

// PanicError is the error of a recovered panic, usually of a function of the host. It
// is answered like any other failure.
type PanicError struct {
	value any
	stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// RecoverTo turns a panic into *err. Defer it in a function whose error result is
// err. It repeats the panic with which a handler tells net/http to abort the
// response.
func RecoverTo(err *error) {
	value := recover()
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it in the same way
		panic(value)
	}
	*err = &PanicError{value: value, stack: debug.Stack()}
}

// AsPanic returns the panic in err, or nil if there is none.
func AsPanic(err error) *PanicError {
	var found *PanicError
	_ = errors.As(err, &found) // if it is false, found is nil
	return found
}
