package main

import (
	"context"
	"errors"

	"github.com/oauthkit/oauthkit"
)

// savedNotices makes the acts of a command save notices for logout tokens. The instances
// that serve deliver them.
type savedNotices struct{}

func (n savedNotices) Extend(registry *oauthkit.Registry) error {
	registry.NoticeReceiver(n)
	return nil
}

// NoticeReceiver returns the name under which package oidc delivers notices.
func (savedNotices) NoticeReceiver() string { return "backchannel_logout" }

// Deliver is not called, because commands do not call oauthkit.Run.
func (savedNotices) Deliver(context.Context, *oauthkit.Notice) error {
	return errors.New("idp: only instances that serve deliver notices")
}
