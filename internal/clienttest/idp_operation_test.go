package clienttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gorm.io/gorm"
)

// TestIDPCommandsLog shows that each command logs its changes like the server
// does, with the actor where the pages log one, and that commands without changes
// log nothing.
func TestIDPCommandsLog(t *testing.T) {
	location := filepath.Join(t.TempDir(), "idp.db")
	message := regexp.MustCompile(`(?m) level=INFO msg=(\S+).*?( by=.*)?$`)
	for _, step := range []struct {
		args string
		want []string // the names of the events and their actors
	}{
		{"migrate", nil},
		{"check", nil},
		{"keys list", nil},
		{"createapplication confidential client_credentials --client-id machine", []string{`application.created by="command line"`}},
		{"applications list", nil},
		{"applications show machine", nil},
		{"applications set machine -verified", []string{`application.updated by="command line" changed=[verified]`}},
		{"applications rotate-secret machine", []string{`application.secret_rotated by="command line"`}},
		{"revoke --application machine", []string{"application.revoked"}},
		{"revoke --user alice", []string{"user.revoked"}},
		{"cleartokens --dry-run", nil},
		{"cleartokens", []string{"cleanup.finished"}},
		{"applications delete machine", []string{`application.deleted by="command line"`}},
		// Two active now and two later.
		{"keys rotate", slices.Repeat([]string{"key.published"}, 8)}, // the first four keys and their successors
	} {
		_, log, status := command(t, append(strings.Fields(step.args), "-db", location)...)
		var names []string
		for _, found := range message.FindAllStringSubmatch(log, -1) {
			names = append(names, found[1]+found[2])
		}
		if status != 0 || !slices.Equal(names, step.want) || strings.Count(log, "\n") != len(names) {
			t.Errorf("%s: got status %d and the log\n%s\nwant %v", step.args, status, log, step.want)
		}
	}
}

// TestIDPCheckChangesNothing shows that the check creates no signing keys and reports
// only findings that the server would report.
func TestIDPCheckChangesNothing(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			location := database(t)
			succeed(t, "migrate", "-db", location)
			if checked := succeed(t, "check", "-db", location); strings.Count(checked, "warning") != 2 || !strings.Contains(checked, "oidc.W001") {
				t.Errorf("got\n%s\nwant one warning about the missing IDP_SECRET, and the number of findings", checked)
			}
			if listed := succeed(t, "keys", "list", "-db", location); strings.Count(listed, "\n") != 1 {
				t.Errorf("got\n%s\nwant no key", listed)
			}
		})
	}
}

// TestIDPClearTokensInterrupted interrupts a cleanup. It must report the deleted
// rows, and the next run must delete the rest.
func TestIDPClearTokensInterrupted(t *testing.T) {
	eachLocation(t, func(t *testing.T, idp *process, location string) {
		const rows = 20_000
		machineToken(t, idp, "read")
		if err := idp.stop(); err != nil { // it would delete the rows, too
			t.Fatal(err)
		}
		onDatabase(t, location, func(db *gorm.DB) error {
			return db.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO oauth_access_tokens (hash, authorization_id, scopes, resources, issued_at, expires_at)
SELECT 'expired ' || i, authorization_id, scopes, resources, issued_at, issued_at FROM oauth_access_tokens, n`, rows).Error
		})
		printed, complaint, status := interrupted(t, location, rows)
		removed := regexp.MustCompile(`(?m)^access_tokens +([1-9]\d*)$`)
		found := removed.FindStringSubmatch(printed)
		if found == nil || status != 1 || !strings.Contains(complaint, "interrupted") || !strings.Contains(complaint, "stopped=true") {
			t.Fatalf("got status %d, %q and\n%s\nwant 1, a note about the interruption, and the number of deleted rows", status, complaint, printed)
		}
		var left int
		onDatabase(t, location, func(db *gorm.DB) error {
			return db.Raw("SELECT count(*) FROM oauth_access_tokens").Scan(&left).Error
		})
		// The row being deleted at the interruption may be gone without
		// being counted.
		if told, err := strconv.Atoi(found[1]); err != nil || left <= 1 || rows-left-told < -1 || rows-left-told > 1 {
			t.Errorf("got %d of %d rows left and %d reported as deleted, want them to add up", left, rows, told)
		}
		again := succeed(t, "cleartokens", "-db", location)
		others := removed.FindStringSubmatch(again)
		// One row has not expired, and the server may have finished deleting the row
		// of the interrupted run after the count above.
		if expired := left - 1; others == nil || others[1] != strconv.Itoa(expired) && others[1] != strconv.Itoa(expired-1) {
			t.Errorf("got\n%s\nwant the other %d deleted", again, expired)
		}
	})
}

// interrupted starts a cleanup that deletes row by row, and interrupts it after the
// first row.
func interrupted(t *testing.T, location string, rows int) (printed, complaint string, status int) {
	t.Helper()
	var stdout, stderr strings.Builder
	process := exec.CommandContext(t.Context(), build(t, "idp"), "cleartokens", "-batch", "1", "-db", location)
	process.Dir, process.Stdout, process.Stderr = t.TempDir(), &stdout, &stderr
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	onDatabase(t, location, func(db *gorm.DB) error {
		for left := rows + 1; left > rows; {
			if err := db.WithContext(t.Context()).Raw("SELECT count(*) FROM oauth_access_tokens").Scan(&left).Error; err != nil {
				return err
			}
		}
		return process.Process.Signal(os.Interrupt)
	})
	_ = process.Wait() // the state has its status
	return stdout.String(), stderr.String(), process.ProcessState.ExitCode()
}
