// Command idp is a complete identity provider: users and applications from a seed file, a login page and sessions of its
// own, and oauthkit for everything else. It is small enough to read and to copy.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	addr, issuer, db, seed string
	tlsCert, tlsKey        string
	logLevel               slog.Level
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "idp:", err)
		os.Exit(1)
	}
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("idp", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "localhost:8080", "address to listen on")
	flags.StringVar(&o.issuer, "issuer", "", "issuer URL (default http://ADDR/o, or https with a certificate)")
	flags.StringVar(&o.db, "db", "idp.db", "SQLite file or postgres:// URL")
	flags.StringVar(&o.seed, "seed", "", "JSON file with scopes, users and applications")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "certificate file, for https")
	flags.StringVar(&o.tlsKey, "tls-key", "", "key file, for https")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q; idp takes flags only", flags.Arg(0))
	}
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return o, errors.New("-tls-cert and -tls-key need each other")
	}
	if o.issuer == "" {
		host, port, err := net.SplitHostPort(o.addr)
		if err != nil {
			return o, fmt.Errorf("-addr: %w", err)
		}
		o.issuer = "http"
		if o.tlsCert != "" {
			o.issuer = "https"
		}
		o.issuer += "://" + net.JoinHostPort(cmp.Or(host, "localhost"), port) + "/o"
	}
	return o, nil
}

// run serves until ctx ends, and then finishes the requests that it has begun.
func run(ctx context.Context, args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: o.logLevel}))
	seed, err := readSeed(o.seed)
	if err != nil {
		return err
	}
	database, err := openDatabase(ctx, o.db)
	if err != nil {
		return err
	}
	defer database.Close()
	if err := seed.apply(ctx, database); err != nil {
		return err
	}
	handler, err := newHandler(o.issuer, database, seed.Scopes, logger)
	if err != nil {
		return err
	}
	return serve(ctx, o, handler, logger)
}

func serve(ctx context.Context, o options, handler http.Handler, logger *slog.Logger) error {
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() {
		if o.tlsCert != "" {
			failed <- server.ServeTLS(listener, o.tlsCert, o.tlsKey)
		} else {
			failed <- server.Serve(listener)
		}
	}()
	logger.Info("serving", "issuer", o.issuer, "addr", listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping")
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(finish)
}
