module dex

go 1.26.0

// dex replaces its module api/v2 by a folder, so that go install cannot build it.
require (
	github.com/dexidp/dex v0.0.0-20260806151424-ab64ed778070
	github.com/dexidp/dex/api/v2 v2.4.1-0.20260806151424-ab64ed778070
)

tool github.com/dexidp/dex/cmd/dex
