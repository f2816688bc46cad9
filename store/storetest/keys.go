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
		{
			"ReplacePrivateKey replaces only the private key that it was told, and adds no key",
			"a removed key comes back, or a former Config.Secret is needed forever",
			testReplacePrivateKey,
		},
		{
			"exactly one of several concurrent ReplacePrivateKey calls of one private key reports it",
			"instances that seal a key at the same time overwrite each other",
			testReplacePrivateKeyAtOnce,
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

func testReplacePrivateKey(t *trial) {
	key, other, removed := t.key("ES256", 1), t.key("ES256", 2), t.key("ES256", 3)
	for _, added := range []*oauthkit.SigningKey{key, other, removed} {
		t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, added))
	}
	_, err := t.RemoveSigningKey(t.ctx, removed.ID)
	t.mustSucceed("RemoveSigningKey", err)
	sealed := append([]byte{2}, everyByte()...)
	for _, test := range []struct {
		name, id string
		old      []byte
		replaced bool
	}{
		{"removed key", removed.ID, removed.Private, false},
		{"unknown key", secret.NewID(), key.Private, false},
		{"no id", "", key.Private, false},
		{"another private key", key.ID, sealed, false},
		{"no private key", key.ID, nil, false},
		{"the private key", key.ID, key.Private, true},
		{"once more", key.ID, key.Private, false},
	} {
		replaced, err := t.ReplacePrivateKey(t.ctx, test.id, test.old, sealed)
		t.mustSucceed("ReplacePrivateKey, "+test.name, err)
		t.wantEqual("ReplacePrivateKey, "+test.name, replaced, test.replaced)
	}
	key.Private = sealed
	t.wantEqual("SigningKeys", len(t.keys()), 2)
	t.wantEqual("SigningKey", t.keys()[key.ID], key)
	t.wantEqual("SigningKey, other", t.keys()[other.ID], other)
}

func testReplacePrivateKeyAtOnce(t *trial) {
	for generation := range 40 {
		key := t.key("ES256", generation+1)
		t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, key))
		winner := t.wantOneWinner("ReplacePrivateKey", t.race(2, func(i int) error {
			replaced, err := t.side(i).ReplacePrivateKey(t.ctx, key.ID, key.Private, []byte{2, byte(i)})
			if err == nil && !replaced {
				err = oauthkit.ErrReplayed
			}
			return err
		}))
		key.Private = []byte{2, byte(winner)}
		t.wantEqual("SigningKey", t.keys()[key.ID], key)
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
