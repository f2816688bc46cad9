package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"os"
)

//go:embed templates/*.html
var templates embed.FS

// render writes a page. It uses the provider's stylesheet.
func render(w http.ResponseWriter, status int, name string, data map[string]any) {
	var body bytes.Buffer
	parsed, err := template.ParseFS(templates, "templates/layout.html", "templates/"+name)
	if err == nil {
		err = parsed.ExecuteTemplate(&body, "layout", data)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

// fail logs and shows an error of the demo client.
func fail(w http.ResponseWriter, err error) {
	_, _ = os.Stderr.WriteString("demo: " + err.Error() + "\n")
	render(w, http.StatusBadGateway, "failed.html", map[string]any{"Title": "Something went wrong", "Error": err.Error()})
}
