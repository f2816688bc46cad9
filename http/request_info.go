package oauthhttp

import (
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file is what an observer and a log are told of a request: which one it is, and what it was refused for.

// log keeps what is not sent: failures as such, refusals for those who debug.
func (h *Handler) log(r *http.Request, err error) {
	request.Log(h.provider.Logger(), r, err)
}

// recordRejection tells the observer of a refused authorization request.
func (h *Handler) recordRejection(r *http.Request, clientID string, err error, shown bool) {
	h.provider.Record(r.Context(), oauthkit.AuthorizeRejected{
		ClientID: clientID, Code: oauthkit.CodeOf(err), Reason: oauthkit.ReasonOf(err), Description: wire.Description(err), Shown: shown,
	})
}
