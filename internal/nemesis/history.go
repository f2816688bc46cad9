package nemesis

import (
	"sync"
	"time"
)

// Kind is a kind of request.
type Kind string

// The requests of virtual clients.
const (
	Issue      Kind = "issue"      // client_credentials at the token endpoint
	Authorize  Kind = "authorize"  // from the authorization request to the code, with sign-in and consent
	Redeem     Kind = "redeem"     // authorization_code at the token endpoint
	Refresh    Kind = "refresh"    // refresh_token at the token endpoint
	Introspect Kind = "introspect" // of an access token
	Revoke     Kind = "revoke"     // of an access or refresh token
	Read       Kind = "read"       // a public document: discovery or the key set
)

// Op is one request and its answer.
type Op struct {
	Kind   Kind
	Family int // number of the Authorization concerned, assigned by the clients; 0 for none
	// Start and End are relative to the start of the history.
	Start, End time.Duration

	Presented string // the code or token in the request
	ClientID  string // the application that the family belongs to
	Subject   string // the user of the family; empty for the application itself
	Scope     string // the requested scope; not compared if empty

	Status     int // 0 if no answer came
	RetryAfter bool
	Error      string // the OAuth error code
	Access     string // tokens in the answer
	Refresh    string
	Code       string // in the redirect
	Active     bool   // of an introspection, with:
	GotClient  string
	GotSubject string
	GotScope   string

	// Abandoned is set if the client closed the connection on purpose, so that an
	// answer is not expected.
	Abandoned bool
}

// ok reports whether the request succeeded.
func (o *Op) ok() bool { return o.Status == 200 || o.Kind == Authorize && o.Code != "" }

// History holds the requests and answers of all clients. It is safe for
// concurrent use.
type History struct {
	begun time.Time

	mutex    sync.Mutex
	ops      []*Op
	families int
}

// NewHistory returns an empty History that starts now.
func NewHistory() *History { return &History{begun: time.Now()} }

// Family returns a new number.
func (h *History) Family() int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.families++
	return h.families
}

// Now returns the time since the start of the history.
func (h *History) Now() time.Duration { return time.Since(h.begun) }

// Add records a finished request.
func (h *History) Add(op *Op) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.ops = append(h.ops, op)
}

// Ops returns the requests in the order in which they finished.
func (h *History) Ops() []*Op {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.ops[:len(h.ops):len(h.ops)]
}

// Since returns the requests that started at or after start.
func (h *History) Since(start time.Duration) []*Op {
	var since []*Op
	for _, op := range h.Ops() {
		if op.Start >= start {
			since = append(since, op)
		}
	}
	return since
}
