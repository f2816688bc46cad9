package storetest

import (
	"context"
	"errors"
	"strings"

	"github.com/oauthkit/oauthkit"
)

func consentSabotages() []sabotage {
	return []sabotage{
		{"saves no Consent", func(s Store) Store { return forgetsConsent{s} }, []string{
			"approvals/SaveApproval saves a new",
		}},
		{"saves each Consent in its own row", func(s Store) Store { return &consentRows{s, map[string]*oauthkit.Consent{}} }, []string{
			"approvals/a Consent that is given", "fidelity/a stored Consent",
		}},
		{"does not save widened scopes", func(s Store) Store { return widensNothing{s} }, []string{
			"approvals/a Consent that is widened keeps",
		}},
		{"keeps the old digest of the application", func(s Store) Store { return &keepsDigest{s, map[string]string{}} }, []string{
			"approvals/a Consent that is given", "approvals/a Consent that is widened keeps",
		}},
		{"does not save the scopes by API", func(s Store) Store { return forgetsAPIs{s} }, []string{
			"approvals/SaveApproval saves a new", "approvals/a Consent that is given", "approvals/a Consent that is widened keeps",
		}},
		{"restores a revoked Consent", func(s Store) Store { return writesBack{s} }, []string{
			"approvals/SaveApproval that widens", "approvals/a Consent that was",
		}},
		{"treats a remembered Consent as a new one", func(s Store) Store { return givesAlways{s} }, []string{
			"approvals/SaveApproval under a remembered", "approvals/SaveApproval under a revoked", "approvals/a Consent that was",
			"races/a code saved", "sequences/any sequence",
		}},
		{"creates a Consent without approval", func(s Store) Store { return makesUpConsent{s} }, []string{
			"approvals/SaveApproval without a", "consents/Consent returns ErrNotFound",
		}},
		{"ignores interactions", func(s Store) Store { return ignoresInteractions{s} }, []string{
			"approvals/SaveApproval consumes the", "approvals/SaveApproval with an",
			"races/an interaction that", "races/exactly one of many concurrent approvals",
		}},
		{"consumes the interaction in a separate act", func(s Store) Store { return consumesFirst{s} }, []string{
			"approvals/SaveApproval does everything",
		}},
		{"ignores the case of subjects in Consents", func(s Store) Store { return foldsUsers{s} }, []string{"consents/subjects are compared"}},
		{"revokes only with a Consent", func(s Store) Store { return revokesUnderConsent{s} }, []string{
			"consents/RevokeConsent also revokes",
		}},
		{"reports revocations again", func(s Store) Store { return &reportsAgain{s, map[string][]string{}} }, []string{
			"consents/RevokeConsent returns only",
		}},
		{"revokes for every application", func(s Store) Store { return &revokesEverywhere{s, map[string]bool{}} }, []string{
			"consents/RevokeConsent affects no",
		}},
		{"fails if there is no Consent to revoke", func(s Store) Store { return revokesOnlyConsent{s} }, []string{
			"consents/RevokeConsent without anything",
		}},
		{"refuses consent after a revocation", func(s Store) Store { return &revokesForEver{s, map[string]bool{}} }, []string{
			"consents/a Consent can",
		}},
	}
}

type forgetsConsent struct{ Store }

func (forgetsConsent) Consent(context.Context, string, string) (*oauthkit.Consent, error) {
	return nil, oauthkit.ErrNotFound
}

type consentRows struct {
	Store
	last map[string]*oauthkit.Consent
}

func (s *consentRows) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	s.last[approval.Authorization.Subject] = approval.Consent
	return s.Store.SaveApproval(ctx, approval)
}

func (s *consentRows) Consent(_ context.Context, _, subject string) (*oauthkit.Consent, error) {
	return s.last[subject], nil
}

type widensNothing struct{ Store }

func (s widensNothing) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	known := *approval
	if approval.ConsentUse == oauthkit.ConsentWidened {
		known.ConsentUse = oauthkit.ConsentRemembered
	}
	return s.Store.SaveApproval(ctx, &known)
}

type keepsDigest struct {
	Store
	first map[string]string // by subject
}

func (s *keepsDigest) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	known, exists := s.first[approval.Authorization.Subject]
	if !exists {
		s.first[approval.Authorization.Subject] = approval.Consent.ApplicationDigest
		return s.Store.SaveApproval(ctx, approval)
	}
	old, consent := *approval, *approval.Consent
	consent.ApplicationDigest = known
	old.Consent = &consent
	return s.Store.SaveApproval(ctx, &old)
}

type forgetsAPIs struct{ Store }

func (s forgetsAPIs) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if approval.Consent == nil {
		return s.Store.SaveApproval(ctx, approval)
	}
	poorer, consent := *approval, *approval.Consent
	consent.ResourceScopes = nil
	poorer.Consent = &consent
	return s.Store.SaveApproval(ctx, &poorer)
}

type writesBack struct{ Store }

func (s writesBack) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	given := *approval
	if approval.ConsentUse == oauthkit.ConsentWidened {
		given.ConsentUse = oauthkit.ConsentNew
	}
	return s.Store.SaveApproval(ctx, &given)
}

type givesAlways struct{ Store }

func (s givesAlways) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	given := *approval
	given.ConsentUse = oauthkit.ConsentNew
	return s.Store.SaveApproval(ctx, &given)
}

type makesUpConsent struct{ Store }

func (s makesUpConsent) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	given := *approval
	if given.Consent == nil {
		given.ConsentUse = oauthkit.ConsentNew
		given.Consent = &oauthkit.Consent{
			ID: newHash(), ClientID: given.Authorization.ClientID, Subject: given.Authorization.Subject,
		}
	}
	return s.Store.SaveApproval(ctx, &given)
}

type ignoresInteractions struct{ Store }

func (s ignoresInteractions) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	ignored := *approval
	ignored.InteractionHash = ""
	return s.Store.SaveApproval(ctx, &ignored)
}

type consumesFirst struct{ Store }

func (s consumesFirst) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	rest := *approval
	rest.InteractionHash = ""
	if approval.InteractionHash != "" {
		if err := s.ConsumeInteraction(ctx, approval.InteractionHash, approval.Authorization.CreatedAt); err != nil {
			return err
		}
	}
	return s.Store.SaveApproval(ctx, &rest)
}

type foldsUsers struct{ Store }

func (s foldsUsers) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	folded, consent, authorization := *approval, *approval.Consent, *approval.Authorization
	consent.Subject, authorization.Subject = strings.ToLower(consent.Subject), strings.ToLower(authorization.Subject)
	folded.Consent, folded.Authorization = &consent, &authorization
	return s.Store.SaveApproval(ctx, &folded)
}

func (s foldsUsers) Consent(ctx context.Context, clientID, subject string) (*oauthkit.Consent, error) {
	return s.Store.Consent(ctx, clientID, strings.ToLower(subject))
}

type revokesUnderConsent struct{ Store }

func (s revokesUnderConsent) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	if _, err := s.Consent(ctx, clientID, subject); errors.Is(err, oauthkit.ErrNotFound) {
		return nil, nil
	}
	return s.Store.RevokeConsent(ctx, clientID, subject, revocation)
}

type reportsAgain struct {
	Store
	reported map[string][]string
}

func (s *reportsAgain) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	ids, err := s.Store.RevokeConsent(ctx, clientID, subject, revocation)
	s.reported[subject] = append(s.reported[subject], ids...)
	return s.reported[subject], err
}

type revokesEverywhere struct {
	Store
	applications map[string]bool
}

func (s *revokesEverywhere) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	s.applications[approval.Authorization.ClientID] = true
	return s.Store.SaveApproval(ctx, approval)
}

func (s *revokesEverywhere) RevokeConsent(ctx context.Context, _, subject string, revocation oauthkit.Revocation) (ids []string, err error) {
	for clientID := range s.applications {
		revoked, err := s.Store.RevokeConsent(ctx, clientID, subject, revocation)
		if err != nil {
			return nil, err
		}
		ids = append(ids, revoked...)
	}
	return ids, nil
}

type revokesOnlyConsent struct{ Store }

func (s revokesOnlyConsent) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	ids, err := s.Store.RevokeConsent(ctx, clientID, subject, revocation)
	if err == nil && ids == nil {
		return nil, oauthkit.ErrNotFound
	}
	return ids, err
}

type revokesForEver struct {
	Store
	revoked map[string]bool
}

func (s *revokesForEver) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	s.revoked[subject] = true
	return s.Store.RevokeConsent(ctx, clientID, subject, revocation)
}

func (s *revokesForEver) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if s.revoked[approval.Authorization.Subject] {
		return oauthkit.ErrRevoked
	}
	return s.Store.SaveApproval(ctx, approval)
}
