package oauthhttp

import (
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// ErrorPage is the data of an error page (error.html). It contains nothing that the
// request sent, because anyone can send people to the page with a link.
type ErrorPage struct {
	Page
	Heading, Message string
	// Code is the same in every version and language, so that people can search for it.
	Code oauthkit.Reason
	// Detail is the description of an error at the authorization or sign-out endpoint. It
	// is in English, for the developer of the application. It is empty for other errors.
	Detail string
	// TraceID identifies the request in the log.
	TraceID string
}

// writeErrorPage tells the user what to do next, by the reason of the error. The log
// has the details under the same trace id.
func (h *Handler) writeErrorPage(w http.ResponseWriter, r *http.Request, found route, err error) {
	status, reason, t := wire.Status(err), oauthkit.ReasonOf(err), h.translator(r)
	h.log(r, err)
	content := &ErrorPage{Heading: t("error.request.heading"), Code: reason, TraceID: oauthkit.RequestInfoFrom(r.Context()).TraceID}
	switch {
	case status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", wire.RetryAfter)
		content.Heading = t("error.unavailable.heading")
	case status >= http.StatusInternalServerError:
		content.Heading = t("error.failure.heading")
	case reason == oauthkit.ReasonFormExpired:
		content.Heading = t("error.form.heading")
	case status == http.StatusNotFound, status == http.StatusConflict, status == http.StatusForbidden:
		content.Heading = t("error.denied.heading")
	case found.Path == authorizePath, found.Path == logoutPath: // an application made this request
		content.Detail = wire.Description(err)
	}
	content.Message = t.or("error.reason."+string(reason), t("error.request.message"))
	response := PageResponse{Name: "error", Status: status, Title: "error.title", FormAction: "'none'", offerSignOut: found.Path == logoutPath}
	if err := h.writePage(w, r, response, content); err != nil {
		h.log(r, err)
		http.Error(w, http.StatusText(status), status)
	}
}
