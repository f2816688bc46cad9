//go:build !linux && !darwin

package oauthtest

import "testing"

// startCluster returns errNoServer: private clusters need Linux or macOS. The
// environment variable OAUTHKIT_TEST_POSTGRES works on all systems.
func startCluster() (*cluster, error) { return nil, errNoServer }

func startReplicated() (*cluster, error) { return nil, errNoServer }

// PgBouncer skips the test.
func PgBouncer(tb testing.TB, _ string) string {
	tb.Helper()
	Missing(tb, "the tests with PgBouncer", "they need Linux or macOS")
	return ""
}
