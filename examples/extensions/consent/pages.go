package consent

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

//go:embed templates
var templates embed.FS

// codePage asks for the code (device_code.html).
type codePage struct {
	oauthhttp.Page
	Action, Token string
	Unknown       bool // the user entered an unknown code
}

// donePage says that the user has decided (device_done.html).
type donePage struct {
	oauthhttp.Page
	Allowed bool
}

// Pages implements [oauthhttp.PageExtension].
func (d *Devices) Pages() oauthhttp.Pages {
	folder, _ := fs.Sub(templates, "templates") // fails only for an invalid path
	return oauthhttp.Pages{
		Templates: folder,
		Texts: map[string]oauthhttp.Texts{
			"en": {
				"device.title": "Connect a device", "device.heading": "Connect a device",
				"device.intro": "Enter the code that your device shows.", "device.code": "Code", "device.continue": "Continue",
				"device.unknown": "This code is not valid. Check it, or get a new one from your device.",
				"device.entered": "You entered the code %s. Allow this only if the device with this code is in front of you.",
				"device.allowed": "Your device is connected", "device.denied": "Your device is not connected", "device.return": "You can return to your device.",
			},
			"de": {
				"device.title": "Gerät verbinden", "device.heading": "Gerät verbinden",
				"device.intro": "Geben Sie den Code ein, den Ihr Gerät anzeigt.", "device.code": "Code", "device.continue": "Weiter",
				"device.unknown": "Dieser Code ist nicht gültig. Prüfen Sie ihn, oder holen Sie einen neuen von Ihrem Gerät.",
				"device.entered": "Sie haben den Code %s eingegeben. Erlauben Sie dies nur, wenn Sie das Gerät mit diesem Code vor sich haben.",
				"device.allowed": "Ihr Gerät ist verbunden", "device.denied": "Ihr Gerät ist nicht verbunden", "device.return": "Sie können zu Ihrem Gerät zurückkehren.",
			},
		},
		Samples: map[string][]oauthhttp.PageContent{
			"device_code": {&codePage{}, &codePage{Unknown: true}},
			"device_done": {&donePage{}, &donePage{Allowed: true}},
		},
	}
}

// enter is the page on which a user enters the code of a device. A known code leads to a
// consent page whose address only this user knows.
func (d *Devices) enter(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	handler, err := oauthhttp.HandlerFrom(r.Context())
	if err != nil {
		return err
	}
	action, unknown := d.path("device"), false
	if r.Method == http.MethodPost {
		form, err := handler.ReadForm(w, r, action, user)
		if err != nil {
			return err
		}
		if id, found := d.claim(form.Get("user_code"), user.Subject); found {
			http.Redirect(w, r, d.path("device/"+id), http.StatusSeeOther)
			return nil
		}
		unknown = true
	}
	response := oauthhttp.PageResponse{Name: "device_code", Title: "device.title", User: user}
	if unknown {
		response.Status = http.StatusUnprocessableEntity
	}
	content := &codePage{Action: action, Token: handler.NewFormToken(w, r, action, user), Unknown: unknown}
	return handler.WritePage(w, r, response, content)
}

// decide is the consent page.
func (d *Devices) decide(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	handler, err := oauthhttp.HandlerFrom(r.Context())
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	found, exists := d.claimed(id, user.Subject)
	if !exists {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "the request is not known, decided, or of another user").
			WithReason(oauthkit.ReasonRequestExpired)
	}
	request, err := d.request(r.Context(), found)
	if err != nil {
		return err
	}
	decision, err := handler.AskConsent(w, r, user, request, oauthhttp.ConsentForm{
		ID: id, Action: d.path("device/" + id), Intro: "device.entered", IntroArgs: []any{found.userCode},
		// no AcceptRemembered: the code may be from a stranger (RFC 8628 §5.4)
	})
	if decision == nil || err != nil {
		return err // the page was written, or could not be
	}
	err = d.answer(r.Context(), id, request, user, *decision)
	if err != nil && oauthkit.CodeOf(err) != oauthkit.AccessDenied {
		return err
	}
	return handler.WritePage(w, r, oauthhttp.PageResponse{Name: "device_done", Title: "device.title", User: user}, &donePage{Allowed: err == nil})
}
