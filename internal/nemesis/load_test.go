//go:build linux || darwin

package nemesis

var loadCases = []Case{}
