package oauthhttp

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	redirecturi "github.com/oauthkit/oauthkit/internal/redirect"
)

// This file tells applications in the browser that a session has ended (OpenID Connect
// Front-Channel Logout 1.0): the page after a sign-out loads an address of each in a
// frame.

// frontChannelPage is the name of the page.
const frontChannelPage = "front_channel"

// framesBlock is the block with the frames and the page's script. A host cannot replace
// it: the policy of the page allows no other script.
const framesBlock = "frames"

//go:embed templates/front_channel.js
var continueScript string

// framesTemplate is the content of the block. The frames may run scripts and use their
// cookies, but not leave the page.
const framesTemplate = `{{range .Frames}}<iframe src="{{.}}" hidden sandbox="allow-forms allow-same-origin allow-scripts"></iframe>
{{end}}<script data-continue="{{.Continue}}">%s</script>`

// The limits of the frames of one page.
const (
	maxFrames       = 20
	maxFrameLookups = 50 // applications that are read to find their frames
)

// continueSeconds is the time after which the page goes on although frames are missing,
// in browsers that run no script. With scripts it goes on when all frames have loaded, or
// a second earlier.
const continueSeconds = "5"

// FrontChannelPage is shown after a sign-out if applications must be told of it in the
// browser (front_channel.html). It must have the block frames as its last part.
type FrontChannelPage struct {
	SignedOutPage
	// Frames are the addresses to load.
	Frames []string
	// Continue is ContinueURL if the page goes on to it by itself, and otherwise empty.
	Continue string
}

// logoutFrames returns the addresses of the applications that were in the session. Those
// that cannot be read are left out: the user is signed out already.
func (h *Handler) logoutFrames(r *http.Request, ended endedSession) []string {
	var frames []string
	for _, clientID := range ended.clientIDs[:min(len(ended.clientIDs), maxFrameLookups)] {
		app, err := h.provider.Application(r.Context(), clientID)
		switch {
		case errors.Is(err, oauthkit.ErrNotFound):
			continue
		case err != nil:
			request.RecordFailure(h.provider, r, logoutPath, err)
			h.log(r, fmt.Errorf("telling applications of a sign-out: %w", err))
			return frames
		}
		if frame := h.logoutFrame(app, ended.id); frame != "" {
			frames = append(frames, frame)
		}
		if len(frames) == maxFrames {
			break
		}
	}
	return frames
}

// logoutFrame returns the address of app with the issuer and the sid (§2). It is empty if
// app has none, or one that no page of this site may show.
func (h *Handler) logoutFrame(app oauthkit.Application, sessionID string) string {
	address := oauthkit.FrontChannelLogout(app).URI
	uri, err := url.Parse(address)
	if err != nil || uri.Fragment != "" || redirecturi.Origin(address) == "" {
		return ""
	}
	parameters := url.Values{"iss": {h.provider.Issuer()}, "sid": {sessionID}}.Encode()
	if uri.RawQuery != "" {
		parameters = uri.RawQuery + "&" + parameters
	}
	uri.RawQuery = parameters
	return uri.String()
}

// frameSources returns the origins of frames for the directive frame-src.
func frameSources(frames []string) string {
	var origins []string
	for _, frame := range frames {
		origins = append(origins, redirecturi.Origin(frame))
	}
	slices.Sort(origins)
	return strings.Join(slices.Compact(origins), " ")
}

// writeFrontChannelPage shows that the user is signed out, and loads the frames. Then it
// goes on to the application that asked, if there is one.
func (h *Handler) writeFrontChannelPage(w http.ResponseWriter, r *http.Request, request *signOutRequest, frames []string) error {
	content := &FrontChannelPage{SignedOutPage: h.signedOutPage(request), Frames: frames}
	if request.isAutomatic() {
		content.Continue = request.RedirectURI()
		w.Header().Set("Refresh", continueSeconds+";url="+content.Continue)
	}
	response := PageResponse{
		Name: frontChannelPage, Status: http.StatusOK, Title: "signout.done.title", FormAction: "'none'", UILocales: request.Form.Get("ui_locales"),
		script: "'sha256-" + hashOfScript(continueScript) + "'", frames: frameSources(frames),
	}
	return h.writePage(w, r, response, content)
}
