package redirect

import "fmt"

// brokenRule is an error whose words are put together, so that a page can say it in another language.
type brokenRule struct {
	format string
	args   []any
}

func broken(format string, args ...any) error { return &brokenRule{format: format, args: args} }

func (e *brokenRule) Error() string { return fmt.Sprintf(e.format, e.args...) }

// Text has translate put the format and the arguments together.
func (e *brokenRule) Text(translate func(format string, args ...any) string) string {
	return translate(e.format, e.args...)
}
