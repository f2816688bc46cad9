package main

import (
	"strings"
	"testing"
)

// TestProgressLine checks that a shorter line overwrites a longer one completely.
func TestProgressLine(t *testing.T) {
	var terminal strings.Builder
	line := &progressLine{out: &terminal, shown: map[string]int{}}
	line.clear()
	if terminal.Len() > 0 {
		t.Errorf("got %q before anything happened, want no output", terminal.String())
	}
	line.add("authorization_codes", 2)
	line.add("authorization_codes", 3)
	line.add("interactions", 1)
	line.clear()
	var shown []string
	for written := range strings.SplitSeq(strings.Trim(terminal.String(), "\r"), "\r") {
		if len(written) != 60 {
			t.Errorf("got %q, want a line as wide as the previous one", written)
		}
		shown = append(shown, strings.TrimSpace(written))
	}
	if got, want := strings.Join(shown, "|"), "authorization_codes: 2|authorization_codes: 5|interactions: 1|"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
