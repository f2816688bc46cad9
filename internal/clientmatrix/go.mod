module github.com/oauthkit/oauthkit/internal/clientmatrix

go 1.25.0

require (
	github.com/chromedp/chromedp v0.23.0
	github.com/oauthkit/oauthkit v0.0.0
	golang.org/x/net v0.58.0
)

require (
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.9.2 // indirect
	github.com/jinzhu/inflection v1.0.0 // indirect
	github.com/jinzhu/now v1.1.5 // indirect
	golang.org/x/text v0.41.0 // indirect
	gorm.io/gorm v1.31.1 // indirect
)

replace github.com/oauthkit/oauthkit => ../..
