//go:build !linux && !darwin

package oauthtest

// startCluster starts nothing on systems where the private cluster is not supported; OAUTHKIT_TEST_POSTGRES works on all.
func startCluster() (*cluster, error) { return nil, errNoServer }

func startReplicated() (*cluster, error) { return nil, errNoServer }
