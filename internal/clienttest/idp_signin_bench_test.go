package clienttest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkSignInFlood measures the token endpoint of examples/idp while 64
// connections send wrong passwords: the median time of client_credentials requests
// before, during and after the flood, and its increase during the flood. The flood
// comes from one address, and from 64 addresses with separate limits.
func BenchmarkSignInFlood(b *testing.B) {
	for name, database := range databases {
		for _, addresses := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, addresses), func(b *testing.B) {
				idp := start(b, "idp", "-db", database(b), "-seed", seedFile(b), "-log-level", "error")
				for b.Loop() {
					quiet := tokenTimes(b, idp, 3*time.Second)
					ctx, stop := context.WithCancel(b.Context())
					answers := flood(ctx, idp, addresses)
					beside := tokenTimes(b, idp, 10*time.Second)
					stop()
					counted := <-answers
					after := tokenTimes(b, idp, 3*time.Second)
					b.ReportMetric(milliseconds(quiet), "before-ms")
					b.ReportMetric(milliseconds(beside), "beside-ms")
					b.ReportMetric(milliseconds(after), "after-ms")
					b.ReportMetric(float64(beside)/float64(quiet), "times")
					b.Logf("answers to the flood: %v", counted)
				}
			})
		}
	}
}

// tokenTimes requests 50 tokens a second, independent of the answers, and returns the
// median time.
func tokenTimes(b *testing.B, idp *process, duration time.Duration) time.Duration {
	b.Helper()
	const pause = 20 * time.Millisecond
	times := make([]time.Duration, duration/pause)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var requests sync.WaitGroup
	for i := range times {
		began := <-tick.C
		requests.Go(func() {
			if err := requestToken(b.Context(), idp); err != nil {
				b.Error(err)
			}
			times[i] = time.Since(began)
		})
	}
	requests.Wait()
	slices.Sort(times)
	return times[len(times)/2]
}

func requestToken(ctx context.Context, idp *process) error {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, idp.issuer()+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.SetBasicAuth("web", webSecret)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("token: %s, %w", response.Status, err)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// flood sends wrong passwords on 64 connections until the context ends, each
// immediately after the previous answer. It returns the number of answers by status.
func flood(ctx context.Context, idp *process, addresses int) <-chan map[int]int {
	var mutex sync.Mutex
	var senders sync.WaitGroup
	counted := map[int]int{}
	for i := range 64 {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i%addresses))}}
		client := &http.Client{Transport: &http.Transport{DialContext: from.DialContext}}
		senders.Go(func() {
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				form := url.Values{"username": {fmt.Sprintf("user-%d-%d", i, n)}, "password": {"wrong"}}
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, idp.origin+"/login", strings.NewReader(form.Encode()))
				if err != nil {
					return
				}
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				response, err := client.Do(request)
				if ctx.Err() != nil {
					return
				}
				status := 0
				if err == nil {
					status = response.StatusCode
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				mutex.Lock()
				counted[status]++
				mutex.Unlock()
			}
		})
	}
	result := make(chan map[int]int, 1)
	go func() {
		senders.Wait()
		result <- counted
	}()
	return result
}
