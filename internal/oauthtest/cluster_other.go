//go:build !linux && !darwin

package oauthtest

import "testing"

// startCluster starts nothing on systems where the private cluster is not supported; OAUTHKIT_TEST_POSTGRES works on all.
func startCluster() (*cluster, error) { return nil, errNoServer }

func startReplicated() (*cluster, error) { return nil, errNoServer }

// PgBouncer skips the test.
func PgBouncer(tb testing.TB, _ string) string {
	tb.Helper()
	Missing(tb, "the tests with PgBouncer", "they need Linux or macOS")
	return ""
}
