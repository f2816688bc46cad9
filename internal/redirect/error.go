package redirect

import "fmt"

// ruleError is a violated rule. It keeps the format and the arguments apart, so that a
// page can translate the rule.
type ruleError struct {
	format string
	args   []any
}

func ruleErrorf(format string, args ...any) error { return &ruleError{format: format, args: args} }

func (e *ruleError) Error() string { return fmt.Sprintf(e.format, e.args...) }

// Text returns the rule as translate renders its format and arguments.
func (e *ruleError) Text(translate func(format string, args ...any) string) string {
	return translate(e.format, e.args...)
}
