//go:build linux || darwin

package nemesis

var endingCases = []Case{}
