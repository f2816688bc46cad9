package consent

import (
	"crypto/rand"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

// The limits of the memory.
const (
	lifetime   = 10 * time.Minute
	maxPending = 10000
	maxRequest = 4 << 10 // bytes
)

// pending is a request of a device on which no user has decided. All fields but the last
// two are constant.
type pending struct {
	clientID string
	form     url.Values // scope and resource
	hash     string     // of the device's credential
	userCode string
	expires  time.Time

	subject, id string // of the user who entered the code last, and of their consent page
	denied      bool
}

// add adds a request. It reports false if the memory is full.
func (d *Devices) add(added pending, now time.Time) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	maps.DeleteFunc(d.pending, func(_ string, other *pending) bool { return !now.Before(other.expires) })
	if len(d.pending) >= maxPending {
		return false
	}
	d.pending[added.hash] = &added
	return true
}

// find returns the first valid request that matches, or nil.
func (d *Devices) find(matches func(*pending) bool) *pending {
	now := d.provider.Now()
	for _, found := range d.pending {
		if now.Before(found.expires) && matches(found) {
			return found
		}
	}
	return nil
}

// claim returns a new id of the consent page on which the user decides about the request
// with this code.
func (d *Devices) claim(userCode, subject string) (id string, found bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	userCode = strings.ToUpper(strings.TrimSpace(userCode))
	claimed := d.find(func(p *pending) bool { return p.userCode == userCode && !p.denied })
	if claimed == nil {
		return "", false
	}
	claimed.subject, claimed.id = subject, rand.Text()
	return claimed.id, true
}

// claimed returns the request of the user's consent page.
func (d *Devices) claimed(id, subject string) (found pending, exists bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	claimed := d.find(func(p *pending) bool { return id != "" && p.id == id && p.subject == subject && !p.denied })
	if claimed == nil {
		return pending{}, false
	}
	return *claimed, true
}

// take ends the page with this id, so that only one answer counts. It returns nil if the
// page has been answered.
func (d *Devices) take(id string) *pending {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	taken := d.find(func(p *pending) bool { return p.id == id })
	if taken != nil {
		taken.id = ""
	}
	return taken
}

// settle removes an approved request and marks a denied one. After a failure the user can
// enter the code again.
func (d *Devices) settle(settled *pending, err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	switch {
	case err == nil:
		delete(d.pending, settled.hash)
	case oauthkit.CodeOf(err) == oauthkit.AccessDenied:
		settled.denied = true
	}
}
