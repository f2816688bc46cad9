package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// options are what can be said about serving.
type options struct {
	addr, issuer, db, seed string
	tlsCert, tlsKey        string
	logLevel               slog.Level
}

// serveCommand serves until the context ends, and then finishes the requests that it has begun.
func serveCommand(flags *flag.FlagSet) action {
	var o options
	flags.StringVar(&o.addr, "addr", "localhost:8080", "`address` to listen on")
	flags.StringVar(&o.issuer, "issuer", "", "`URL` of the issuer (default http://ADDRESS/o, or https with a certificate)")
	flags.StringVar(&o.db, "db", "idp.db", "SQLite `file` or postgres:// URL; the tables are created there")
	flags.StringVar(&o.seed, "seed", "", "JSON `file` with scopes, users and applications")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "certificate `file`, for https")
	flags.StringVar(&o.tlsKey, "tls-key", "", "key `file`, for https")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "`level` of the log: debug, info, warn or error")
	return func(ctx context.Context, _ []string, _ io.Writer) error {
		if err := o.complete(); err != nil {
			return err
		}
		return o.run(ctx)
	}
}

// complete fills in the issuer where none was named.
func (o *options) complete() error {
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return &usageError{message: "-tls-cert and -tls-key need each other"}
	}
	if o.issuer != "" {
		return nil
	}
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return &usageError{message: "-addr must be HOST:PORT: " + err.Error()}
	}
	o.issuer = "http"
	if o.tlsCert != "" {
		o.issuer = "https"
	}
	o.issuer += "://" + net.JoinHostPort(cmp.Or(host, "localhost"), port) + "/o"
	return nil
}

func (o *options) run(ctx context.Context) error {
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
	handler, err := newHandler(ctx, o.issuer, database, seed, logger)
	if err != nil {
		return err
	}
	return o.serve(ctx, handler, logger)
}

func (o *options) serve(ctx context.Context, handler http.Handler, logger *slog.Logger) error {
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fmt.Errorf("%w; name another address with -addr", err)
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
