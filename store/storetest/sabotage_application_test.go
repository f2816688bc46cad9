package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/oauthkit/oauthkit"
)

var errDown = errors.New("the database is down")

func applicationSabotages() []sabotage {
	return []sabotage{
		{"finds no application", func(s Store) Store { return noApplication{s} }, []string{
			"applications/an application is",
		}},
		{"fails for an unknown application", func(s Store) Store { return failingApplication{s} }, []string{
			"applications/Application returns ErrNotFound",
		}},
		{"ignores case in client_ids", func(s Store) Store { return &foldingApplication{Store: s} }, []string{
			"applications/client_ids are compared",
		}},
		{"loses a field of an application", func(s Store) Store { return partApplication{s} }, []string{
			"applications/every field of",
		}},
		{"returns stored values, not copies", func(s Store) Store { return &sharing{Store: s, kept: map[string]any{}} }, []string{
			"applications/Application returns a", "fidelity/stored rows are",
		}},
	}
}

type noApplication struct{ Store }

func (noApplication) Application(context.Context, string) (oauthkit.Application, error) {
	return nil, oauthkit.ErrNotFound
}

type failingApplication struct{ Store }

func (s failingApplication) Application(ctx context.Context, id string) (oauthkit.Application, error) {
	app, err := s.Store.Application(ctx, id)
	if errors.Is(err, oauthkit.ErrNotFound) {
		return nil, errDown
	}
	return app, err
}

type foldingApplication struct {
	Store
	known []string
}

func (s *foldingApplication) Application(ctx context.Context, id string) (oauthkit.Application, error) {
	for _, known := range s.known {
		if strings.EqualFold(known, id) {
			id = known
		}
	}
	s.known = append(s.known, id)
	return s.Store.Application(ctx, id)
}

type partApplication struct{ Store }

func (s partApplication) Application(ctx context.Context, id string) (oauthkit.Application, error) {
	app, err := s.Store.Application(ctx, id)
	if err == nil {
		oauthkit.Abstract(app).GrantTypes = nil
	}
	return app, err
}

// sharing returns the same pointer each time.
type sharing struct {
	Store
	mutex sync.Mutex
	kept  map[string]any
}

func shared[Value any](s *sharing, key string, read func() (Value, error)) (Value, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if value, exists := s.kept[key]; exists {
		return value.(Value), nil
	}
	value, err := read()
	if err == nil {
		s.kept[key] = value
	}
	return value, err
}

func (s *sharing) Application(ctx context.Context, id string) (oauthkit.Application, error) {
	return shared(s, id, func() (oauthkit.Application, error) { return s.Store.Application(ctx, id) })
}

func (s *sharing) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	return shared(s, hash, func() (*oauthkit.AccessToken, error) { return s.Store.AccessToken(ctx, hash) })
}
