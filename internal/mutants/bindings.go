package main

// ofKeyBindings returns the mutants of codes and tokens that are bound to a key.
func ofKeyBindings() []mutant {
	return []mutant{
		{
			"binding-scheme", ".",
			`case !strings.EqualFold(presented.Scheme, tokenType):`, `case false:`,
			killer{attacks, "TestKeyBinding/memory/P-10 scheme"},
		},
		{
			"binding-proof", ".",
			`case proved != token.Confirmation.Value:`, `case false:`,
			killer{attacks, "TestKeyBinding/memory/U-09"},
		},
		{
			"binding-two-keys", ".",
			`case !confirmation.IsZero(): // of another binding`, `case false:`,
			killer{attacks, "TestKeyBinding/memory/P-01"},
		},
		{
			"binding-of-access-token", ".",
			"Confirmation:  r.Confirmation,\n\t\tIssuedAt:", "IssuedAt:",
			killer{attacks, "TestKeyBinding/memory/U-09"},
		},
		{
			"binding-of-code", "grants",
			`if err := request.CheckConfirmation(code.Confirmation); err != nil {`, `if err := request.CheckConfirmation(code.Confirmation); false {`,
			killer{attacks, "TestKeyBinding/memory/C-19"},
		},
		{
			"binding-of-refresh-token", "grants",
			`if err := request.CheckConfirmation(token.Confirmation); err != nil {`, `if err := error(nil); err != nil {`,
			killer{attacks, "TestKeyBinding/memory/F-18 bound"},
		},
		{
			"binding-of-public-refresh-token", ".",
			"if r.Application.IsPublic() {\n\t\treturn r.Confirmation\n", "if false {\n\t\treturn r.Confirmation\n",
			killer{attacks, "TestKeyBinding/memory/F-18 bound"},
		},
		{
			"binding-of-confidential-refresh-token", ".",
			"if r.Application.IsPublic() {\n\t\treturn r.Confirmation\n", "if true {\n\t\treturn r.Confirmation\n",
			killer{attacks, "TestKeyBinding/memory/P-13 refresh"},
		},
		{
			"binding-of-repeat", "grants",
			`slices.Compact(resources), Confirmation: request.Confirmation,`, `slices.Compact(resources),`,
			killer{attacks, "TestKeyBinding/memory/P-13 repeat"},
		},
		{
			"binding-of-successor", "grants",
			`if !r.request.Application.IsPublic() { // its`, `if true { // its`,
			killer{attacks, "TestKeyBinding/memory/F-18 repeat"},
		},
		{
			"binding-of-unknown-method", ".",
			`if _, exists := p.keyBindings.TokenType(credential.Confirmation); !exists {`, `if false {`,
			killer{attacks, "TestKeyBinding/memory/P-10 key binding"},
		},
		{
			"binding-key-unchecked", ".",
			`if err := r.provider.keyBindings.check(r.Confirmation); err != nil {`, `if err := error(nil); err != nil {`,
			killer{attacks, "TestKeyBinding/memory/P-01 key"},
		},
		{
			"binding-of-token-in-response", ".",
			`Form: request.Form, Confirmation: request.Confirmation, Now: request.Now,`, `Form: request.Form, Now: request.Now,`,
			killer{attacks, "TestKeyBinding/memory/P-10 token"},
		},
		{
			"binding-error-in-challenge", wire,
			`if r < ' ' || r > '~' || r == '"' || r == '\\' {`, `if false {`,
			killer{wire, "TestWriteChallenge_Injection"},
		},
	}
}
