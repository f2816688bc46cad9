package readme

import (
	"regexp"
	"strings"
	"testing"
)

// TestFeatures checks that each row of the tables of features and specifications in
// README.md names at least one test, and that the linked file has the test.
func TestFeatures(t *testing.T) {
	link := regexp.MustCompile(`\[(Test\w+)\]\(([^)]+_test\.go)\)`)
	for _, heading := range []string{"## Features", "## Specifications"} {
		rows := 0
		for line := range strings.Lines(section(t, "README.md", heading)) {
			if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| test |\n") {
				continue
			}
			rows++
			cells := strings.Split(strings.Trim(line, "| \n"), " | ")
			tests := link.FindAllStringSubmatch(cells[len(cells)-1], -1)
			if len(cells) != 3 || len(tests) == 0 {
				t.Errorf("README.md: got no test in %q, want one in the third column", line)
			}
			for _, test := range tests {
				if !strings.Contains(read(t, test[2]), "\nfunc "+test[1]+"(") {
					t.Errorf("README.md: got %s in %s, where there is no such test", test[1], test[2])
				}
			}
		}
		if rows == 0 {
			t.Errorf("README.md: got no row below %q", heading)
		}
	}
}
