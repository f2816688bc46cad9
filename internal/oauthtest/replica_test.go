package oauthtest

import (
	"testing"
)

// TestReplicated shows a replica that is late, and then is not.
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
