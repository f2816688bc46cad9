package main

// ofKeys returns the mutants of signing keys, signed tokens and sealed values.
func ofKeys() []mutant {
	return []mutant{
		{
			"jwt-algorithm", "internal/jose",
			`jwt.WithValidMethods([]string{string(key.algorithm)}),`, ``,
			killer{"internal/jose", "TestK02_VerifierConfusion"},
		},
		{
			"jwt-type", "internal/jose",
			`if h.Type != typ {`, `if false {`,
			killer{"internal/jose", "TestK08_TypeSeparation"},
		},
		{
			"jwt-any-key", "internal/jose",
			`func(k *Key) bool { return k.id == h.KeyID }`, `func(k *Key) bool { return true }`,
			killer{"internal/jose", "TestVerify"},
		},
		{
			"jwt-critical-extension", "internal/jose",
			`if h.Critical != nil {`, `if false {`,
			killer{"internal/jose", "TestK02_VerifierConfusion"},
		},
		{
			"jwt-unbounded", "internal/jose",
			`if len(token) > maxToken {`, `if false {`,
			killer{"internal/jose", "TestK02_VerifierConfusion"},
		},
		{
			"jwt-issuer", "internal/jose",
			`issuer != e.Issuer {`, `issuer == "" {`,
			killer{"internal/jose", "TestVerifyClaims"},
		},
		{
			"jwt-audience", "internal/jose",
			`if e.Audience != "" && !slices.Contains(audiences, e.Audience) {`, `if false && e.Audience != "" && !slices.Contains(audiences, e.Audience) {`,
			killer{attacks, "TestAuthorizeUser/memory/A-29"},
		},
		{
			"jwt-expiry", "internal/jose",
			`if !e.AcceptExpired && !e.Now.Before(expires) {`, `if false && !e.AcceptExpired && !e.Now.Before(expires) {`,
			killer{"internal/jose", "TestVerifyClaims"},
		},
		{
			"jwt-from-the-future", "internal/jose",
			`if from.After(e.Now.Add(maxSkew)) {`, `if false && from.After(e.Now.Add(maxSkew)) {`,
			killer{"internal/jose", "TestVerifyClaims"},
		},
		{
			"jwt-signature", "internal/jose",
			"_, err = parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return key.Public(), nil })", "_, _, err = parser.ParseUnverified(token, &claims)",
			killer{"internal/jose", "TestK02_VerifierConfusion"},
		},
		{
			"key-weak-rsa", "internal/jose",
			`bits < minRSABits {`, `bits < 512 {`,
			killer{"internal/jose", "TestK07_WeakKeys"},
		},
		{
			"key-other-curve", "internal/jose",
			`!ok || key.Curve != elliptic.P256() {`, `!ok || key.Curve == elliptic.P521() {`,
			killer{"internal/jose", "TestK07_WeakKeys"},
		},
		{
			"key-stored-in-clear", "oidc",
			`if err != nil || len(k.secrets) == 0 {`, `if err != nil || len(k.secrets) >= 0 {`,
			killer{attacks, "TestStoredKeys/memory/ST-08"},
		},
		{
			"key-of-another-id", "oidc",
			`if key.ID() != stored.ID {`, `if false {`,
			killer{"oidc", "TestStoredKeyIsChecked"},
		},
		{
			"key-signs-before-published", "oidc",
			`(found == nil || !now.Before(key.stored.ActiveAt))`, `true`,
			killer{"oidc", "TestRotation"},
		},
		{
			"key-published-for-ever", "oidc",
			`|| !ends.IsZero() && !now.Before(ends) {`, `|| !ends.IsZero() && false {`,
			killer{"oidc", "TestRotation"},
		},
		{
			"secret-short", ".",
			`if config.Secret != "" && len(config.Secret) < minSecret {`, `if false {`,
			killer{".", "TestNewRefuses"},
		},
		{
			"seal-purpose", "internal/secret",
			`hkdf.Key(sha256.New, []byte(key), nil, purpose, 32)`, `hkdf.Key(sha256.New, []byte(key), nil, "", 32)`,
			killer{"internal/secret", "TestSeal"},
		},
		{
			"seal-key", "internal/secret",
			`hkdf.Key(sha256.New, []byte(key), nil, purpose, 32)`, `hkdf.Key(sha256.New, []byte("key"), nil, purpose, 32)`,
			killer{"internal/secret", "TestSeal"},
		},
		{
			"seal-unbound", "internal/secret",
			`aead.Open(nil, nil, sealed[1:], bound)`, `aead.Open(nil, nil, sealed[1:], nil)`,
			killer{"internal/secret", "TestSeal"},
		},
		{
			"clear-key-used", "oidc",
			`return len(k.secrets) > 0 && !isSealed(key.Private) &&`, `return len(k.secrets) < 0 && !isSealed(key.Private) &&`,
			killer{"oidc", "TestAcceptClearKeys"},
		},
		{
			"clear-public-key-used", "oidc",
			`!slices.Contains(k.accept, key.ID) && !k.isSigner(key.ID)`, `!slices.Contains(k.accept, key.ID) && k.holdsPrivate(key)`,
			killer{"oidc", "TestPlantedSigner"},
		},
		{
			"signer-unverified", "internal/jose",
			`k.method.Verify(text, signature, k.public); err != nil {`, `k.method.Verify(text, signature, k.public); err != nil && false {`,
			killer{"internal/jose", "TestFaultySigner"},
		},
		{
			"signer-comes-back", "oidc",
			`k.store.ReplacePrivateKey(ctx, kid, all[i].Private, revoked())`, `k.store.RemoveSigningKey(ctx, kid)`,
			killer{"oidc", "TestSignerRemoved"},
		},
		{
			"former-signer-comes-back", "oidc",
			`removed, err := k.revoke(ctx, key.ID())`, `removed, err := k.store.RemoveSigningKey(ctx, key.ID())`,
			killer{"oidc", "TestFormerSignerStaysListed"},
		},
		{
			"removed-key-stays-cached", "oidc",
			`return errors.Join(err, k.forget(stored))`, `return err`,
			killer{"oidc", "TestRemoveKeyBesideAnUnreadableOne"},
		},
		{
			"signer-given-up", "oidc",
			`return absent || !newest.ActiveAt.After(before)`, `return absent && false || !newest.ActiveAt.After(before)`,
			killer{"oidc", "TestSignerGivenUp"},
		},
		{
			"signer-removal-lost", "oidc",
			`all[i].Private, revoked()); removed || err != nil {`, `all[i].Private, revoked()); true {`,
			killer{"oidc", "TestRemoveSignerDuringResealing"},
		},
		{
			"signer-replaced-by-import", "oidc",
			`if !slices.Contains(k.rotated(), algorithm) {`, `if !slices.Contains(k.algorithms, algorithm) {`,
			killer{"oidc", "TestImportKeyRejects"},
		},
		{
			"former-key-verifies-for-ever", "oidc",
			`return key.ActiveAt.Add(keyRetention)`, `return time.Time{}`,
			killer{"oidc", "TestImportKey"},
		},
		{
			"key-not-announced", "oidc",
			`k.add(ctx, addition{algorithm, now.Add(publishLead), nil}`, `k.add(ctx, addition{algorithm, now, nil}`,
			killer{"oidc", "TestAYear"},
		},
		{
			"key-not-sealed-again", "oidc",
			`return !k.secrets.IsCurrent(stored.Private)`, `return false`,
			killer{"oidc", "TestSecretRotation"},
		},
		{
			"accepted-secret-short", ".",
			`case len(accepted) < minSecret:`, `case false:`,
			killer{".", "TestNewRefuses"},
		},
		{
			"secret-hash-without-prefix", "internal/secret",
			`sum := sha256.Sum256(append(short[:0], value...))`, `sum := sha256.Sum256(append(short[:0], value[min(4, len(value)):]...))`,
			killer{"internal/secret", "TestHashDependsOnType"},
		},
		{
			"secret-few-bits", "internal/secret",
			`return string(prefix) + random(size)`, `return string(prefix) + random(size)[:11] + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`,
			killer{"internal/secret", "TestC20_Entropy"},
		},
	}
}
