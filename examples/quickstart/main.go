// Command quickstart runs a complete sign-in in one process: a provider with a login
// page, an API, and a client that signs users in over HTTP. The client uses
// golang.org/x/oauth2 and coreos/go-oidc like any other program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	addr := flags.String("addr", "localhost:8080", "address to listen on")
	db := flags.String("db", "", "SQLite file, created if missing (default quickstart.db, or a temporary file with -walk)")
	walk := flags.Bool("walk", false, "sign in with an HTTP client, print each step, and exit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	file, remove, err := databaseFile(*db, *walk)
	if err != nil {
		return err
	}
	defer remove()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return fmt.Errorf("%w; use -addr to choose another address", err)
	}
	base, err := baseURL(*addr, listener.Addr())
	if err != nil {
		return err
	}
	handler, err := newSite(base, file)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // longer than the provider's Timeout
		IdleTimeout:       2 * time.Minute,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer server.Close()
	if *walk {
		return walkThrough(ctx, base, os.Stdout)
	}
	fmt.Printf("Open %s/demo/ and sign in as %s with the password %s.\nThe issuer is %s/o, the database is %s. Press Ctrl-C to stop.\n",
		base, demoUser, demoPassword, base, file)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return server.Shutdown(finish)
	}
}

// baseURL returns the URL of the listener for browsers. An issuer without TLS must be
// on the local machine.
func baseURL(addr string, actual net.Addr) (string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "localhost"
	}
	_, port, err := net.SplitHostPort(actual.String())
	return "http://" + net.JoinHostPort(host, port), err
}

// databaseFile returns the SQLite file to use and a function that removes it if it is
// temporary. A walk starts with an empty database, because consent is remembered.
func databaseFile(chosen string, walk bool) (file string, remove func(), err error) {
	switch {
	case chosen != "":
		return chosen, func() {}, nil
	case !walk:
		return "quickstart.db", func() {}, nil
	}
	folder, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(folder, "quickstart.db"), func() { _ = os.RemoveAll(folder) }, nil
}
