package oauthhttp

import (
	"bytes"
	"errors"
	"maps"
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file answers requests that got no turn. Under overload most responses are of
// this kind, so they are rendered once, at the start.

// ErrBusy is returned by [PendingLogin] if too many requests are served at the same time
// (see Config.MaxInFlight). The library reports them once a second as
// [oauthkit.RequestsRefused], so a host need not log each one.
var ErrBusy = oauthkit.Unavailable(errors.New("too many requests at the same time"))

// busyAnswers are the responses by kind of caller.
type busyAnswers struct {
	program, user *prepared
	pages         []*prepared // by language
}

func (h *Handler) newBusyAnswers() (*busyAnswers, error) {
	answers := &busyAnswers{program: newPrepared(), user: newPrepared()}
	wire.WriteError(answers.program, ErrBusy)
	wire.WriteUserError(answers.user, ErrBusy)
	for language := range h.pages.catalogue.languages {
		page, err := h.prepareBusyPage(language)
		if err != nil {
			return nil, err
		}
		answers.pages = append(answers.pages, page)
	}
	return answers, nil
}

func (h *Handler) prepareBusyPage(language int) (*prepared, error) {
	t := h.pages.catalogue.translator(language)
	response := PageResponse{Name: "error", Status: http.StatusServiceUnavailable, Title: "error.title", FormAction: "'none'"}
	page, err := h.render(language, response, &ErrorPage{
		Heading: t("error.unavailable.heading"), Code: oauthkit.ReasonUnavailable,
		Message: t("error.reason." + string(oauthkit.ReasonUnavailable)),
	})
	if err != nil {
		return nil, err
	}
	answer := newPrepared()
	answer.header.Set("Retry-After", wire.RetryAfter)
	h.sendPage(answer, language, response, page)
	return answer, nil
}

// writeBusy answers a request that got no turn in time, in the format of the endpoint.
func (h *Handler) writeBusy(w http.ResponseWriter, r *http.Request, found route) {
	h.inFlight.refused.add()
	switch {
	case found.page:
		h.busy.pages[h.pages.catalogue.choose(r, "")].send(w)
	case found.User != nil:
		h.busy.user.send(w)
	default:
		h.busy.program.send(w)
	}
}

// prepared is a rendered response to any number of requests.
type prepared struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newPrepared() *prepared {
	p := &prepared{header: http.Header{}}
	wire.SetSecurityHeaders(p.header)
	return p
}

// Header implements [http.ResponseWriter].
func (p *prepared) Header() http.Header { return p.header }

// WriteHeader implements [http.ResponseWriter].
func (p *prepared) WriteHeader(status int) { p.status = status }

// Write implements [http.ResponseWriter].
func (p *prepared) Write(part []byte) (int, error) { return p.body.Write(part) }

// send sends the response. Requests share the header values, so they must not be changed.
func (p *prepared) send(w http.ResponseWriter) {
	header := w.Header()
	vary := header["Vary"] // may be set by the host's middleware
	maps.Copy(header, p.header)
	if len(vary) > 0 && len(p.header["Vary"]) > 0 {
		header["Vary"] = append(vary[:len(vary):len(vary)], p.header["Vary"]...)
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(p.body.Bytes()) // written by this package
}
