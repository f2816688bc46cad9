package oauthhttp_test

import (
	"net/url"
	"testing"
)

// The benchmarks measure whole requests on each database, without a network but with a context that can end, as net/http gives
// one: what watches it costs allocations. They report the statements of an operation
// beside its time and allocations.

func BenchmarkClientCredentials(b *testing.B) {
	measure(b, func(r *rig) func() {
		return func() { r.clientCredentials() }
	})
}

// BenchmarkCodeExchange prepares a code outside the clock for each exchange.
func BenchmarkCodeExchange(b *testing.B) {
	measure(b, func(r *rig) func() {
		r.approve()
		codes := make([]string, 0, 1024)
		return func() {
			if len(codes) == 0 {
				r.pause(func() {
					for range cap(codes) {
						codes = append(codes, r.authorize())
					}
				})
			}
			r.exchange(codes[len(codes)-1])
			codes = codes[:len(codes)-1]
		}
	})
}

func BenchmarkRefresh(b *testing.B) {
	measure(b, func(r *rig) func() {
		tokens := r.exchange(r.approve())
		return func() { tokens = r.refresh(member(tokens, "refresh_token")) }
	})
}

func BenchmarkIntrospection(b *testing.B) {
	measure(b, func(r *rig) func() {
		form := url.Values{"token": {r.clientCredentials()}}
		return func() { r.post("introspect", form) }
	})
}

func BenchmarkBearer(b *testing.B) {
	measure(b, func(r *rig) func() {
		token := r.clientCredentials()
		return func() { r.callAPI(token) }
	})
}

// BenchmarkCodeFlow is a whole sign-in: authorize with remembered consent, then the exchange with its ID token.
func BenchmarkCodeFlow(b *testing.B) {
	measure(b, func(r *rig) func() {
		r.approve()
		return func() { r.exchange(r.authorize()) }
	})
}

// measure runs what prepare returns on each database.
func measure(b *testing.B, prepare func(r *rig) func()) {
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, databases[name])
			do := prepare(r)
			r.statements.Take()
			statements := 0
			b.ReportAllocs()
			for b.Loop() {
				do()
				statements += len(r.statements.Take().Statements)
			}
			b.ReportMetric(float64(statements)/float64(b.N), "statements/op")
		})
	}
}

// pause does something outside the clock and outside the count.
func (r *rig) pause(prepare func()) {
	b := r.tb.(*testing.B)
	b.StopTimer()
	prepare()
	r.statements.Take()
	b.StartTimer()
}
