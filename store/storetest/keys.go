package storetest

import (
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// keyRules begin without signing keys each.
func keyRules() []rule {
	rules := []rule{
		{
			"SigningKeys of an empty store returns no keys and no error",
			"a new provider cannot start",
			testNoKeys,
		},
		{
			"SigningKeys returns the keys unchanged",
			"signatures of a key can no longer be verified",
			testKeys,
		},
		{
			"AddSigningKey of an existing algorithm and generation returns ErrReplayed and keeps the first key",
			"two instances that start together sign with keys that the other does not publish",
			testKeyTwice,
		},
		{
			"RemoveSigningKey removes one key and reports it, and ignores an unknown id",
			"a leaked key stays published, or its removal is not reported",
			testRemoveKey,
		},
		{
			"exactly one of several concurrent RemoveSigningKey calls reports the removal",
			"every instance reports the removal of one key",
			testRemoveKeyAtOnce,
		},
	}
	for i := range rules {
		rules[i].test = withoutKeys(rules[i].test)
	}
	return rules
}

func testNoKeys(t *trial) {
	t.wantEqual("SigningKeys", len(t.keys()), 0)
}

func testKeys(t *trial) {
	want := map[string]*oauthkit.SigningKey{}
	for _, algorithm := range []string{"RS256", "ES256"} {
		for generation := range 3 {
			key := t.key(algorithm, generation+1)
			t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, key))
			want[key.ID] = key
		}
	}
	t.wantEqual("SigningKeys", len(t.keys()), len(want))
	for id, key := range t.keys() {
		t.wantEqual("SigningKey", key, want[id])
	}
}

func testKeyTwice(t *trial) {
	first, second := t.key("ES256", 1), t.key("ES256", 1)
	t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, first))
	t.wantError("AddSigningKey, same generation", t.AddSigningKey(t.ctx, second), oauthkit.ErrReplayed)
	t.wantError("AddSigningKey, same key", t.AddSigningKey(t.ctx, first), oauthkit.ErrReplayed)
	t.mustSucceed("AddSigningKey, other algorithm", t.AddSigningKey(t.ctx, t.key("RS256", 1)))
	t.wantEqual("SigningKeys", len(t.keys()), 2)
	t.wantEqual("SigningKey", t.keys()[first.ID], first)
}

func testRemoveKey(t *trial) {
	leaked, other := t.key("ES256", 1), t.key("ES256", 2)
	t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, leaked))
	t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, other))
	for _, id := range []string{secret.NewID(), "", leaked.ID, leaked.ID} {
		_, there := t.keys()[id]
		removed, err := t.RemoveSigningKey(t.ctx, id)
		t.mustSucceed("RemoveSigningKey", err)
		t.wantEqual("RemoveSigningKey, removed", removed, there)
	}
	t.wantEqual("SigningKeys", len(t.keys()), 1)
	t.wantEqual("SigningKey", t.keys()[other.ID], other)
}

func testRemoveKeyAtOnce(t *trial) {
	for generation := range 40 {
		key := t.key("ES256", generation+1)
		t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, key))
		t.wantOneWinner("RemoveSigningKey", t.race(2, func(i int) error {
			removed, err := t.side(i).RemoveSigningKey(t.ctx, key.ID)
			if err == nil && !removed {
				err = oauthkit.ErrReplayed
			}
			return err
		}))
	}
}

func (t *trial) key(algorithm string, generation int) *oauthkit.SigningKey {
	return &oauthkit.SigningKey{
		ID:         newHash(),
		Algorithm:  algorithm,
		Generation: generation,
		Private:    everyByte(),
		CreatedAt:  t.now,
		ActiveAt:   t.now.Add(24 * time.Hour),
	}
}

// keys returns all signing keys by ID.
func (t *trial) keys() map[string]*oauthkit.SigningKey {
	t.Helper()
	stored, err := t.SigningKeys(t.ctx)
	t.mustSucceed("SigningKeys", err)
	keys := map[string]*oauthkit.SigningKey{}
	for _, key := range stored {
		keys[key.ID] = key
	}
	t.wantEqual("SigningKeys, different ones", len(keys), len(stored))
	return keys
}

// withoutKeys runs test after it has removed all keys.
func withoutKeys(test func(*trial)) func(*trial) {
	return func(t *trial) {
		for id := range t.keys() {
			_, err := t.RemoveSigningKey(t.ctx, id)
			t.mustSucceed("RemoveSigningKey", err)
		}
		test(t)
	}
}
