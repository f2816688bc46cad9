package main

// ofFetches returns the mutants of the requests that the provider makes.
func ofFetches() []mutant {
	const fetch = "internal/fetch"
	return []mutant{
		{
			"fetch-private-address", fetch,
			`return !slices.ContainsFunc(p.special, func(prefix netip.Prefix) bool { return prefix.Contains(ip) })`, `return true`,
			killer{fetch, "TestNotPublic/S-01 address"},
		},
		{
			"fetch-any-ipv6", fetch,
			` || ip.Is6() && !p.global.Contains(ip)`, ``,
			killer{fetch, "TestAddresses/S-02"},
		},
		{
			"fetch-socket-unchecked", fetch,
			`return d.policy.check(parsed, d.loopbackOnly)`, `_ = parsed; return nil`,
			killer{fetch, "TestS05_Control"},
		},
		{
			"fetch-redirects", fetch,
			`return http.ErrUseLastResponse }`, `return nil }`,
			killer{fetch, "TestS06_Redirects"},
		},
		{
			"fetch-http", fetch,
			`(target.Scheme != "http" || !p.loopback || !redirect.IsLoopback(target.Hostname()))`, `target.Scheme != "http"`,
			killer{fetch, "TestParse/S-07 http"},
		},
		{
			"fetch-http-elsewhere", fetch,
			"case loopbackOnly:", "case false:",
			killer{fetch, "TestPolicySettings/http to a public address"},
		},
		{
			"fetch-user", fetch,
			"case target.User != nil:", "case false:",
			killer{fetch, "TestParse/S-07 user"},
		},
		{
			"fetch-any-port", fetch,
			"case !slices.Contains(p.ports, address.Port()):", "case false:",
			killer{fetch, "TestPolicySettings/S-07 other port"},
		},
		{
			"fetch-large-body", fetch,
			"	default:\n		return nil, ErrTooLarge", "	default:\n		return data, nil",
			killer{fetch, "TestS08_Body"},
		},
		{
			"fetch-without-deadline", fetch,
			`context.WithTimeout(ctx, c.config.Timeout)`, `context.WithTimeout(ctx, 1000*c.config.Timeout)`,
			killer{fetch, "TestS09_SlowPeer"},
		},
		{
			"fetch-compressed", fetch,
			"DisableCompression:     true", "DisableCompression:     false",
			killer{fetch, "TestS10_Compression"},
		},
		{
			"fetch-by-proxy", fetch,
			"Transport: &http.Transport{\n", "Transport: &http.Transport{\n\t\t\tProxy: http.ProxyFromEnvironment,\n",
			killer{fetch, "TestS12_Proxy"},
		},
		{
			"fetch-unlimited", fetch,
			`newGate(maxInFlight, maxPerHost)`, `newGate(100*maxInFlight, 100*maxPerHost)`,
			killer{fetch, "TestS16_InFlight"},
		},
	}
}
