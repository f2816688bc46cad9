module github.com/oauthkit/oauthkit/http/observe/oauthotel

go 1.25.0

require (
	github.com/oauthkit/oauthkit v0.0.0
	go.opentelemetry.io/otel v1.24.0
	go.opentelemetry.io/otel/metric v1.24.0
	go.opentelemetry.io/otel/sdk v1.24.0
	go.opentelemetry.io/otel/sdk/metric v1.24.0
	go.opentelemetry.io/otel/trace v1.24.0
)

require (
	github.com/go-logr/logr v1.4.1 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-oauth2/oauth2/v4 v4.5.4 // indirect
	golang.org/x/sys v0.46.0 // indirect
)

replace github.com/oauthkit/oauthkit => ../../..
