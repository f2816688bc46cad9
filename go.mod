module github.com/oauthkit/oauthkit

go 1.25.0

require (
	github.com/anishathalye/porcupine v0.1.4
	github.com/go-jose/go-jose/v4 v4.1.4
	github.com/go-oauth2/oauth2/v4 v4.5.4
	github.com/golang-jwt/jwt/v5 v5.3.0
	github.com/hashicorp/golang-lru/v2 v2.0.1
	github.com/jackc/pgx/v5 v5.9.2
	github.com/ncruces/go-sqlite3 v0.35.0
	github.com/ncruces/go-sqlite3/gormlite v0.34.0
	golang.org/x/sync v0.21.0
	golang.org/x/text v0.38.0
	gorm.io/driver/postgres v1.5.7
	gorm.io/gorm v1.31.1
	pgregory.net/rapid v1.1.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.2 // indirect
	github.com/jinzhu/inflection v1.0.0 // indirect
	github.com/jinzhu/now v1.1.5 // indirect
	github.com/ncruces/go-sqlite3-wasm/v3 v3.1.35302 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	golang.org/x/sys v0.46.0 // indirect
)
