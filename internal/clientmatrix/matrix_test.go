package clientmatrix

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestClients walks through each client whose name matches the regular expression in
// the environment variable OAUTHKIT_CLIENTS, on SQLite and on PostgreSQL, and prints a
// table of the results. Without the variable it runs the quick clients on SQLite.
func TestClients(t *testing.T) {
	expression := os.Getenv("OAUTHKIT_CLIENTS")
	selected, err := regexp.Compile(expression)
	if err != nil {
		t.Fatalf("OAUTHKIT_CLIENTS: %v", err)
	}
	l, results := newLab(t), results{}
	for _, c := range clients() {
		if expression == "" && c.quick {
			t.Run(c.name, func(t *testing.T) { c.test(t, l, results, "sqlite") })
		} else if expression != "" && selected.MatchString(c.name) {
			t.Run(c.name, func(t *testing.T) { c.test(t, l, results, "postgres", "sqlite") })
		}
	}
	if len(results) > 0 {
		t.Logf("\n%s", results)
	}
}

// test installs the client and runs its steps on databases, by their names.
func (c *client) test(t *testing.T, l *lab, results results, on ...string) {
	for _, program := range c.needs {
		if _, err := lookPath(program); err != nil {
			results.add(c.name, "", "missing: "+program)
			oauthtest.Missing(t, "the tests with "+c.name, program+" is not installed")
		}
	}
	for _, name := range c.packages {
		if _, err := os.Stat("../../node_modules/" + name); err != nil {
			results.add(c.name, "", "missing: run make setup")
			oauthtest.Missing(t, "the tests with "+c.name, "its package from npm is not installed; run make setup")
		}
	}
	if c.install != nil {
		if err := c.install(l.of(t, c)); err != nil {
			results.add(c.name, "", "not installed")
			t.Fatalf("installing %s: %v", c.name, err)
		}
	}
	for _, name := range on {
		t.Run(name, func(t *testing.T) {
			database, started, failed := databases[name](t), false, false
			defer func() {
				if !started {
					results.add(c.name, "", "does not start")
				}
			}()
			r := startRun(t, l.of(t, c), database)
			started = true
			for _, step := range c.steps.or(webSteps(c.site.or(ownSite()))).named() {
				if failed && step.name != "denied" {
					results.add(c.name, step.name, "not reached")
					continue
				}
				t.Run(step.name, func(t *testing.T) {
					result := r.try(t, step)
					results.add(c.name, step.name, result)
					failed = step.name == "sign-in" && result != "yes"
				})
			}
		})
	}
}

// lookPath returns the path of a program, which may have alternative names ("a|b").
func lookPath(names string) (path string, err error) {
	for name := range strings.SplitSeq(names, "|") {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}

// or returns the steps, and those of other in place of missing ones.
func (s steps) or(other steps) steps {
	for _, step := range []struct{ to, from *func(r *run) error }{
		{&s.denied, &other.denied}, {&s.signIn, &other.signIn}, {&s.userInfo, &other.userInfo},
		{&s.refresh, &other.refresh}, {&s.signOut, &other.signOut},
	} {
		if *step.to == nil {
			*step.to = *step.from
		}
	}
	return s
}

// try runs a step and returns its result in one word.
func (r *run) try(t *testing.T, step namedStep) string {
	during := r.during(t)
	err := step.run(during)
	switch {
	case errors.Is(err, errNone):
		return "none"
	case err != nil:
		t.Error(err)
		return "FAILS"
	default:
		return "yes"
	}
}

// results has the results of each client's steps on all databases, by client and step.
// The step of a client that could not start is empty.
type results map[string]map[string][]string

func (r results) add(client, step, result string) {
	if r[client] == nil {
		r[client] = map[string][]string{}
	}
	if !slices.Contains(r[client][step], result) {
		r[client][step] = append(r[client][step], result)
	}
}

// String returns a table. A cell has two results if they differ by database.
func (r results) String() string {
	var table strings.Builder
	columns := steps{}.named()
	fmt.Fprintf(&table, "%-24s", "client")
	for _, step := range columns {
		fmt.Fprintf(&table, " %-12s", step.name)
	}
	for _, client := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(&table, "\n%-24s", client)
		if start := r[client][""]; start != nil {
			fmt.Fprintf(&table, " %s", strings.Join(start, ", "))
			continue
		}
		for _, step := range columns {
			fmt.Fprintf(&table, " %-12s", strings.Join(r[client][step.name], ", "))
		}
	}
	return table.String()
}
