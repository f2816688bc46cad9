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
	adminAddr          string
	adminToken         string // not a flag: other users of the machine see the command line
	proxies            proxies
	loopbackFetch      bool
	sessionManagement  bool
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
	flags.StringVar(&o.adminAddr, "admin-addr", "", "loopback `address` to listen on for the operator's requests, which need IDP_ADMIN_TOKEN (default: none)")
	flags.Func("trusted-proxies", "comma-separated `networks` whose X-Forwarded-For is trusted", func(list string) (err error) {
		o.proxies, err = parseProxies(list)
		return err
	})
	flags.BoolVar(&o.loopbackFetch, "allow-loopback-fetch", false, "send logout tokens also to http and https addresses of this machine, for tests")
	flags.BoolVar(&o.sessionManagement, "session-management", true, "let applications watch the session in the browser, if the issuer is https")
	flags.DurationVar(&o.drain, "drain", time.Second, "`time` between an interrupt, when /readyz starts to fail, and the end of listening")
	flags.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "`level` of the log: debug, info, warn or error")
	return func(ctx context.Context, _ []string, _ io.Writer) error {
		o.adminToken = os.Getenv("IDP_ADMIN_TOKEN")
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
	if o.adminAddr != "" {
		if err := checkAdmin(o.adminAddr, o.adminToken); err != nil {
			return &usageError{message: err.Error()}
		}
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
	servers, err := o.listen(ctx, site)
	if err != nil {
		return errors.Join(err, site.database.Close())
	}
	failed := make(chan error, len(servers))
	for _, server := range servers {
		defer server.Close()
		go func() { failed <- server.serve() }()
		site.logger.Info("serving", "issuer", o.issuer, server.name, server.listener.Addr().String())
	}
	upkeep, endUpkeep := context.WithCancel(ctx)
	defer endUpkeep()
	upkeepEnded := make(chan error, 1)
	go func() { upkeepEnded <- oauthkit.Run(upkeep, site.provider, oauthkit.RunConfig{}) }()
	select {
	case err = <-failed:
		endUpkeep()
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err == nil {
		err = o.stop(limit, servers, site)
	}
	if closeErr := waitFor(limit, func() error { return errors.Join(<-upkeepEnded, site.database.Close()) }); closeErr != nil {
		site.logger.Warn("closing the database failed", "error", closeErr)
	}
	if err == nil {
		site.logger.Info("stopped")
	}
	return err
}

// listening is a server with the address that it listens on.
type listening struct {
	*http.Server
	name            string // of the flag with the address
	listener        net.Listener
	tlsCert, tlsKey string
}

func (l *listening) serve() error {
	if l.tlsCert != "" {
		return l.ServeTLS(l.listener, l.tlsCert, l.tlsKey)
	}
	return l.Serve(l.listener)
}

// listen opens the public address and, if there is one, that for the operator.
func (o *options) listen(ctx context.Context, site *site) ([]*listening, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return nil, fmt.Errorf("%w; use -addr to choose another address", err)
	}
	servers := []*listening{{Server: newServer(site.handler, site.logger), name: "addr", listener: listener, tlsCert: o.tlsCert, tlsKey: o.tlsKey}}
	if o.adminAddr == "" {
		return servers, nil
	}
	operator, err := listenAdmin(ctx, o.adminAddr)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	handler := newAdmin(o.adminToken, site).handler()
	return append(servers, &listening{Server: newServer(handler, site.logger), name: "admin_addr", listener: operator}), nil
}

// stop finishes the requests in flight. It returns an error if some were cut off.
func (o *options) stop(limit context.Context, servers []*listening, site *site) error {
	site.logger.Info("stopping", "drain", o.drain)
	site.health.stopping.Store(true)
	select {
	case <-time.After(o.drain): // load balancers send new requests elsewhere
	case <-limit.Done():
	}
	var cut error
	for _, server := range servers {
		if server.Shutdown(limit) != nil { // the limit is over
			_ = server.Close()
			cut = fmt.Errorf("some requests did not finish within %s of the interrupt and were cut off", stopTimeout)
		}
	}
	return cut
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
