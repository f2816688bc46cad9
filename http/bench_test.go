package oauthhttp_test

import (
	"net/url"
	"testing"
)

// The benchmarks measure complete requests on each database, without a network. The
// context can be canceled, as in net/http, since watching it costs allocations. They
// report the statements of an operation too.

func BenchmarkClientCredentials(b *testing.B) {
	measure(b, func(r *rig) func() {
		return func() { r.clientCredentials() }
	})
}

// BenchmarkCodeExchange prepares the codes with the timer stopped.
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

// BenchmarkCodeFlow measures a sign-in: authorize with remembered consent, and the
// exchange with an ID token.
func BenchmarkCodeFlow(b *testing.B) {
	measure(b, func(r *rig) func() {
		r.approve()
		return func() { r.exchange(r.authorize()) }
	})
}

// measure benchmarks the function that prepare returns on each database.
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

// pause calls prepare without measuring it.
func (r *rig) pause(prepare func()) {
	b := r.tb.(*testing.B)
	b.StopTimer()
	prepare()
	r.statements.Take()
	b.StartTimer()
}
