package storetest

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

func issuanceSabotages() []sabotage {
	return []sabotage{
		{"saves no tokens of an approval", func(s Store) Store { return losesApproved{s} }, []string{
			"approvals/SaveApproval saves the tokens", "sequences/any sequence",
		}},
		{"saves nothing without a credential", func(s Store) Store { return needsCredential{s} }, []string{
			"approvals/SaveApproval saves an Authorization without",
		}},
		{"consumes a code that is saved beside tokens", func(s Store) Store { return consumesBeside{s} }, []string{
			"approvals/a code that was saved beside",
		}},
		{"checks only approvals with a code", func(s Store) Store { return checksCodes{s} }, []string{
			"approvals/an approval needs", "races/one interaction issues",
		}},
		{"saves the tokens of an approval in a separate act", func(s Store) Store { return savesTokensLater{s} }, []string{
			"approvals/SaveApproval saves all credentials",
		}},
		{"lists tokens beside a code that is not redeemed", managed(func(s managing) Store { return forgetsCode{s} }), []string{
			"connections/UserAuthorizations returns approved",
		}},
		{"hides approved tokens", managed(func(s managing) Store { return hidesApproved{s} }), []string{
			"connections/UserAuthorizations returns approved", "connections/RevokeUser revokes an", "connections/RevokeApplication revokes an",
		}},
	}
}

type losesApproved struct{ Store }

func (s losesApproved) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	poorer := *approval
	poorer.Tokens = nil
	return s.Store.SaveApproval(ctx, &poorer)
}

type needsCredential struct{ Store }

func (s needsCredential) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if approval.Code == nil && approval.Tokens == nil {
		return nil
	}
	return s.Store.SaveApproval(ctx, approval)
}

// consumesBeside treats the tokens of an approval as those of its code.
type consumesBeside struct{ Store }

func (s consumesBeside) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if approval.Code == nil || approval.Tokens == nil {
		return s.Store.SaveApproval(ctx, approval)
	}
	return saveInTwoActs(ctx, s.Store, approval, approval.Code)
}

type checksCodes struct{ Store }

func (s checksCodes) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	unchecked := *approval
	if approval.Code == nil {
		unchecked.InteractionHash, unchecked.Consent = "", nil
	}
	return s.Store.SaveApproval(ctx, &unchecked)
}

type savesTokensLater struct{ Store }

func (s savesTokensLater) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	if approval.Code != nil || approval.Tokens == nil {
		return s.Store.SaveApproval(ctx, approval)
	}
	return saveInTwoActs(ctx, s.Store, approval, &oauthkit.AuthorizationCode{Hash: newHash(), Authorization: approval.Authorization})
}

// saveInTwoActs saves the tokens of an approval by redeeming a code.
func saveInTwoActs(ctx context.Context, store Store, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	first := *approval
	first.Code, first.Tokens = code, nil
	if err := store.SaveApproval(ctx, &first); err != nil {
		return err
	}
	return store.RedeemCode(ctx, code.Hash, *approval.Tokens, approval.Authorization.CreatedAt)
}

// forgetsCode saves tokens beside a code as if there was no code.
type forgetsCode struct{ managing }

func (s forgetsCode) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	tokensOnly := *approval
	if approval.Tokens != nil {
		tokensOnly.Code = nil
	}
	return s.managing.SaveApproval(ctx, &tokensOnly)
}

// hidesApproved saves an approval without a code for no user and no application.
type hidesApproved struct{ managing }

func (s hidesApproved) SaveApproval(ctx context.Context, approval *oauthkit.Approval) error {
	hidden, authorization := *approval, *approval.Authorization
	if approval.Code == nil {
		authorization.Subject, authorization.ClientID = "", ""
	}
	hidden.Authorization = &authorization
	return s.managing.SaveApproval(ctx, &hidden)
}
