package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/oauthkit/oauthkit"
)

// options are the flags of serve.
type options struct {
	addr, issuer, seed string
	db                 *location
	migrate            bool
	tlsCert, tlsKey    string
	proxies            proxies
	drain              time.Duration
	logLevel           slog.Level
}

// serveCommand serves until the context ends, and then finishes the requests in flight.
func serveCommand(flags *flag.FlagSet) action {
	var o options
	flags.StringVar(&o.addr, "addr", "localhost:8080", "`address` to listen on")
	flags.StringVar(&o.issuer, "issuer", "", "`URL` of the issuer (default http://ADDRESS/o, or https with a certificate)")
	o.db = databaseFlag(flags)
	flags.BoolVar(&o.migrate, "migrate", true, "create or update the tables first; with -migrate=false idp fails if they are not up to date")
	flags.StringVar(&o.seed, "seed", "", "JSON `file` with scopes, users and applications")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "certificate `file`, for https")
	flags.StringVar(&o.tlsKey, "tls-key", "", "key `file`, for https")
	flags.Func("trusted-proxies", "comma-separated `networks` whose X-Forwarded-For is trusted", func(list string) (err error) {
		o.proxies, err = parseProxies(list)
		return err
	})
	flags.DurationVar(&o.drain, "drain", time.Second, "`time` between an interrupt, when /readyz starts to fail, and the end of listening")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "`level` of the log: debug, info, warn or error")
	return func(ctx context.Context, _ []string, _ io.Writer) error {
		if err := o.complete(); err != nil {
			return err
		}
		return o.run(ctx)
	}
}

// complete validates the options and sets the default issuer.
func (o *options) complete() error {
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return &usageError{message: "-tls-cert and -tls-key must be used together"}
	}
	if o.drain < 0 || o.drain >= stopTimeout {
		return &usageError{message: "-drain must be shorter than " + stopTimeout.String()}
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

// stopTimeout limits the time between an interrupt and the end of the program.
const stopTimeout = 10 * time.Second

func (o *options) run(ctx context.Context) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: o.logLevel}))
	seed, err := readSeed(o.seed)
	if err != nil {
		return err
	}
	open := openDatabase
	if !o.migrate {
		open = openUpToDate
	}
	database, err := open(ctx, *o.db)
	if err != nil {
		return err
	}
	site, err := newSite(ctx, o, database, seed, logger)
	if err != nil {
		return errors.Join(err, database.Close())
	}
	return o.serve(ctx, site)
}

// serve listens until ctx ends, and then stops in an order that loses no request:
// /readyz fails, listening ends, requests in flight are finished, the database is
// closed.
func (o *options) serve(ctx context.Context, site *site) error {
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return errors.Join(fmt.Errorf("%w; use -addr to choose another address", err), site.database.Close())
	}
	server := newServer(site.handler, site.logger)
	failed := make(chan error, 1)
	go func() {
		if o.tlsCert != "" {
			failed <- server.ServeTLS(listener, o.tlsCert, o.tlsKey)
		} else {
			failed <- server.Serve(listener)
		}
	}()
	upkeep, endUpkeep := context.WithCancel(ctx)
	defer endUpkeep()
	upkeepEnded := make(chan error, 1)
	go func() { upkeepEnded <- oauthkit.Run(upkeep, site.provider, oauthkit.RunConfig{}) }()
	site.logger.Info("serving", "issuer", o.issuer, "addr", listener.Addr().String())
	select {
	case err = <-failed:
		endUpkeep()
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err == nil {
		err = o.stop(limit, server, site)
	}
	if closeErr := waitFor(limit, func() error { return errors.Join(<-upkeepEnded, site.database.Close()) }); closeErr != nil {
		site.logger.Warn("closing the database failed", "error", closeErr)
	}
	if err == nil {
		site.logger.Info("stopped")
	}
	return err
}

// stop finishes the requests in flight. It returns an error if some were cut off.
func (o *options) stop(limit context.Context, server *http.Server, site *site) error {
	site.logger.Info("stopping", "drain", o.drain)
	site.health.stopping.Store(true)
	select {
	case <-time.After(o.drain): // load balancers send new requests elsewhere
	case <-limit.Done():
	}
	if err := server.Shutdown(limit); err != nil {
		_ = server.Close() // the limit is over
		return fmt.Errorf("some requests did not finish within %s of the interrupt and were cut off", stopTimeout)
	}
	return nil
}

// waitFor returns the result of end, or the context's error if ctx ends first. A
// database that does not respond blocks closing its connections.
func waitFor(ctx context.Context, end func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
