package fetch

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// TestAddresses covers S-01 and, with the cases that name it, S-02: addresses that are
// not public, in every notation, and their public neighbors.
func TestAddresses(t *testing.T) {
	p := newPolicy(Config{})
	tests := []struct {
		name      string
		addresses string
		want      bool
	}{
		{"S-01 special IPv4 addresses", `0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255
			127.0.0.1 127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 172.16.0.0 172.31.255.255
			192.0.0.0 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.0 192.168.255.255
			192.175.48.1 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
			240.0.0.1 255.255.255.255`, false},
		{"S-01 special IPv6 addresses", `:: ::1 100::1 fc00::1 fd00:ec2::254 fdff::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
			2001:db8::1 2001:20::1 3fff::1 3ffe::1 5f00::1 4000::1 2620:4f:8000::1`, false},
		{"S-02 IPv4 addresses in IPv6", `::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::169.254.169.254 ::7f00:1
			64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 2002:a9fe:a9fe::1 2002:808:808::1
			2001:0:4136:e378:8000:63bf:3fff:fdd2 ::ffff:0:127.0.0.1`, false},
		{"public", `1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
			168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255
			192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 ::ffff:8.8.8.8 2001:200::1 2001:4860:4860::8888
			2003::1 2606:4700::1111 2a00:1450::1`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, text := range strings.Fields(test.addresses) {
				ip := netip.MustParseAddr(text)
				if got := p.isPublic(ip); got != test.want {
					t.Errorf("isPublic(%s): got %t, want %t", text, got, test.want)
				}
				err := p.check(netip.AddrPortFrom(ip, 443), false)
				if (err == nil) != test.want || err != nil && !errors.Is(err, ErrRefused) {
					t.Errorf("check(%s): got %v, want allowed %t", text, err, test.want)
				}
			}
		})
	}
}

// FuzzAddresses compares the policy with the properties of package net/netip.
func FuzzAddresses(f *testing.F) {
	for _, text := range []string{"8.8.8.8", "127.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1", "2001:db8::1", "2002:a00:1::", "64:ff9b::a00:1"} {
		bytes, _ := netip.MustParseAddr(text).MarshalBinary()
		f.Add(bytes)
	}
	p := newPolicy(Config{})
	f.Fuzz(func(t *testing.T, data []byte) {
		ip, ok := netip.AddrFromSlice(data)
		if !ok || !p.isPublic(ip) {
			return
		}
		plain := ip.Unmap()
		if !plain.IsGlobalUnicast() || plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified() {
			t.Errorf("%s: got public", ip)
		}
		if plain.Is6() && plain.As16()[0]>>5 != 1 {
			t.Errorf("%s: got public, though it is not a global unicast address (RFC 4291 §2.4)", ip)
		}
		if plain.Is4() {
			mapped := netip.AddrFrom16(plain.As16())
			if !p.isPublic(mapped) {
				t.Errorf("%s: got public, and %s not", plain, mapped)
			}
		}
	})
}

// TestPolicySettings shows that each setting allows its addresses and no others.
func TestPolicySettings(t *testing.T) {
	tests := []struct {
		name         string
		config       Config
		loopbackOnly bool
		address      string
		want         bool
	}{
		{"public", Config{}, false, "8.8.8.8:443", true},
		{"public, second port", Config{}, false, "[2606:4700::1111]:8443", true},
		{"S-07 other port", Config{}, false, "8.8.8.8:22", false},
		{"S-07 other high port", Config{}, false, "8.8.8.8:6379", false},
		{"port", Config{AllowPorts: []uint16{9443}}, false, "8.8.8.8:9443", true},
		{"port of a private address", Config{AllowPorts: []uint16{9443}}, false, "10.0.0.1:9443", false},
		{"loopback", Config{AllowLoopback: true}, false, "127.0.0.1:33333", true},
		{"loopback, IPv6", Config{AllowLoopback: true}, true, "[::1]:33333", true},
		{"loopback, mapped", Config{AllowLoopback: true}, false, "[::ffff:127.0.0.1]:33333", true},
		{"loopback allows no private address", Config{AllowLoopback: true}, false, "10.0.0.1:443", false},
		{"http to a public address", Config{AllowLoopback: true}, true, "8.8.8.8:443", false},
		{"http to an allowed network", Config{AllowLoopback: true, AllowNetworks: networks("10.0.0.0/8")}, true, "10.0.0.1:443", false},
		{"network", Config{AllowNetworks: networks("10.1.2.3/8")}, false, "10.9.9.9:9000", true},
		{"network, mapped", Config{AllowNetworks: networks("10.0.0.0/8")}, false, "[::ffff:10.9.9.9]:9000", true},
		{"network allows no other", Config{AllowNetworks: networks("10.0.0.0/8")}, false, "192.168.0.1:443", false},
		{"network allows no loopback", Config{AllowNetworks: networks("10.0.0.0/8")}, false, "127.0.0.1:443", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := newPolicy(test.config).check(netip.MustParseAddrPort(test.address), test.loopbackOnly)
			if (err == nil) != test.want || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("got %v, want allowed %t", err, test.want)
			}
		})
	}
}

func networks(texts ...string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, text := range texts {
		prefixes = append(prefixes, netip.MustParsePrefix(text))
	}
	return prefixes
}

// TestParse covers S-07: schemes, users and other parts of a URL.
func TestParse(t *testing.T) {
	loopback := Config{AllowLoopback: true}
	tests := []struct {
		name   string
		config Config
		url    string
		want   string // a part of the error; empty: allowed
	}{
		{"https", Config{}, "https://rp.example/logout?tenant=1", ""},
		{"port", Config{}, "https://rp.example:8443/", ""},
		{"upper case", Config{}, "HTTPS://RP.example/", ""},
		{"S-07 http", Config{}, "http://rp.example/", "not https"},
		{"S-07 http to loopback", Config{}, "http://127.0.0.1/", "not https"},
		{"S-07 http elsewhere", loopback, "http://rp.example/", "not https"},
		{"http to this machine", loopback, "http://localhost:8080/", ""},
		{"http to this machine by address", loopback, "http://[::1]:8080/", ""},
		{"S-07 name that begins like this machine", loopback, "http://127.0.0.1.rp.example/", "not https"},
		{"S-07 ftp", loopback, "ftp://127.0.0.1/", "not https"},
		{"S-07 file", loopback, "file:///etc/passwd", "not https"},
		{"S-07 gopher", loopback, "gopher://127.0.0.1:6379/_X", "not https"},
		{"S-07 data", loopback, "data:text/plain,x", "not https"},
		{"S-07 no scheme", loopback, "//127.0.0.1/", "not https"},
		{"S-07 user", Config{}, "https://u:p@rp.example/", "user"},
		{"S-07 empty user", Config{}, "https://@rp.example/", "user"},
		{"fragment", Config{}, "https://rp.example/#x", "fragment"},
		{"no host", Config{}, "https:///x", "no host"},
		{"opaque", Config{}, "https:rp.example", "no host"},
		{"port without host", Config{}, "https://:443/", "no host"},
		{"control character", Config{}, "https://rp.example/\r\nX: y", "parsed"},
		{"empty", Config{}, "", "not https"},
		{"long", Config{}, "https://rp.example/" + strings.Repeat("a", maxURL), "longer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newPolicy(test.config).parse(test.url)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case test.want != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want a refusal with %q", err, test.want)
			}
		})
	}
}
