package nemesis

import (
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	l := newLab(t)
	w := l.start(t, Setup{Instances: 2, Proxied: true})
	storm := w.Storm(8)
	pause(t.Context(), 3*time.Second)
	storm.End()
	n := w.Verify()
	kinds := map[Kind]int{}
	statuses := map[int]int{}
	for _, op := range w.History.Ops() {
		kinds[op.Kind]++
		statuses[op.Status]++
	}
	t.Log(n, kinds, statuses, w.Instances[0].Resident())
}
