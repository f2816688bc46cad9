package oauthkit

import (
	"maps"
	"slices"
)

// Covers reports whether the user has approved all of the scopes for each of the resources; without resources, for every API. What
// was approved for every API is approved for each.
func (c *Consent) Covers(scopes Scopes, resources URIs) bool {
	if len(resources) == 0 {
		return c.Scopes.ContainsAll(scopes)
	}
	for _, resource := range resources {
		if !c.Scopes.Union(c.ResourceScopes[resource]).ContainsAll(scopes) {
			return false
		}
	}
	return true
}

// AllScopes returns what the user has approved for any API.
func (c *Consent) AllScopes() Scopes {
	all := c.Scopes
	for _, scopes := range c.ResourceScopes {
		all = all.Union(scopes)
	}
	return all
}

// coversAll reports whether whoever approved this approved all of other as well.
func (c *Consent) coversAll(other *Consent) bool {
	for resource, scopes := range other.ResourceScopes {
		if !c.Covers(scopes, URIs{resource}) {
			return false
		}
	}
	return c.Covers(other.Scopes, nil)
}

// approve adds the scopes for each of the resources, and nothing for any other; without resources, for every API.
func (c *Consent) approve(scopes Scopes, resources URIs) {
	if len(resources) == 0 {
		c.Scopes = c.Scopes.Union(scopes)
		return
	}
	approved := maps.Clone(c.ResourceScopes)
	if approved == nil {
		approved = map[string]Scopes{}
	}
	for _, resource := range resources {
		approved[resource] = approved[resource].Union(scopes)
	}
	c.ResourceScopes = approved
}

// without returns what remains, for every API and for single ones, when some scopes are taken back.
func (c *Consent) without(takenBack func(scope string) bool) *Consent {
	rest := *c
	rest.Scopes, rest.ResourceScopes = slices.DeleteFunc(slices.Clone(c.Scopes), takenBack), maps.Clone(c.ResourceScopes)
	for resource, scopes := range rest.ResourceScopes {
		rest.ResourceScopes[resource] = slices.DeleteFunc(slices.Clone(scopes), takenBack)
	}
	return &rest
}
