package oauthtest

import (
	"testing"
)

// TestReplicated shows that a paused replica lags behind, and that CatchUp
// ends the lag.
func TestReplicated(t *testing.T) {
	replica := Replicated(t)
	execute(t, replica.URL, "CREATE TABLE rows (id int)")
	replica.Pause(t)
	execute(t, replica.URL, "INSERT INTO rows VALUES (1)")
	count := func() (rows int) {
		replica.query(t, replica.ReplicaURL, "SELECT count(*) FROM rows", &rows)
		return rows
	}
	if got := count(); got != 0 {
		t.Errorf("paused: got %d rows on the replica, want none", got)
	}
	replica.CatchUp(t)
	if got := count(); got != 1 {
		t.Errorf("caught up: got %d rows on the replica, want 1", got)
	}
}
