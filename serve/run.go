package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/go-lxmert/lxmert/serve/guard"
	"github.com/go-lxmert/lxmert/serve/oip"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/telemetry"
	"github.com/go-lxmert/lxmert/serve/telemetry/otlp"
)

// Config is a server as a program.
type Config struct {
	Service service.Options
	HTTP    Options

	Addr      string // host:port to listen at; "" is [DefaultAddr]
	AdminAddr string // where metrics and profiles are, for those who run it; "" is nowhere
	GRPCAddr  string // where the Open Inference Protocol is spoken over gRPC; "" is nowhere

	TLSCert, TLSKey string // files of PEM; both or none. They are read anew when they change.

	MaxConns     int           // connections at once; 0 is 4096
	DrainTimeout time.Duration // for requests under way, once the server is to end; 0 is 30 s

	OTLPEndpoint string // where traces are sent, over HTTP; "" is nowhere

	Version string       // of the program, for metrics
	Log     *slog.Logger // nil: nothing is logged

	// Ready is told the addresses at which the server listens, once it answers.
	Ready func(Listening)
	// Reload, if not nil, has all models loaded anew whenever something comes.
	Reload <-chan struct{}
}

// DefaultAddr is where a server listens: for its own machine alone.
const DefaultAddr = "127.0.0.1:8080"

// Listening are the addresses of a server, as they came about (port 0 is any); "" where it does not listen.
type Listening struct{ HTTP, Admin, GRPC string }

// Run serves until ctx ends, and then until the requests under way are answered. New ones are refused with status 503 meanwhile, and the server says that it is
// not ready. The error says what could not be begun, or that requests were cut off.
func Run(ctx context.Context, c Config) error {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	metrics := telemetry.New(c.Version)
	c.Service.Observer, c.Service.Log = observer{metrics}, c.Log
	c.HTTP.Metrics, c.HTTP.Log, c.HTTP.Drain, c.HTTP.Version = metrics, c.Log, new(guard.Drain), c.Version
	c.Addr = cmp.Or(c.Addr, DefaultAddr)
	if len(c.HTTP.Hosts) == 0 {
		c.HTTP.Hosts = loopbackNames(c.Addr)
	}
	certificates, err := readCertificates(c.TLSCert, c.TLSKey)
	if err != nil {
		return err
	}

	if c.OTLPEndpoint != "" {
		traces, err := otlp.Start(ctx, c.OTLPEndpoint, c.Version, c.Log)
		if err != nil {
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := traces.Shutdown(ctx); err != nil {
				c.Log.Warn("the last traces were not sent", "error", err)
			}
		}()
		c.HTTP.Traces = traces
	}

	// Addresses are taken before models are loaded, which takes long: one that is taken already is known at once.
	l, err := c.listen(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	s, err := service.New(ctx, c.Service)
	if err != nil {
		return err
	}
	metrics.Cache(cacheStats(s))

	c.HTTP = c.HTTP.withDefaults(s) // whose limits gRPC shares
	c.HTTP.inference = oip.New(s, c.HTTP.oip())
	failed := make(chan error, 3)
	main := c.server(Handler(s, c.HTTP), certificates)
	go func() {
		if certificates != nil {
			failed <- main.ServeTLS(l.http, "", "")
			return
		}
		failed <- main.Serve(l.http)
	}()
	var admin *http.Server
	if l.admin != nil {
		admin = c.server(adminHandler(metrics), nil)
		go func() { failed <- admin.Serve(l.admin) }()
	}
	var rpc *oip.Server
	if l.grpc != nil {
		rpc = c.rpc(certificates)
		go func() { failed <- rpc.Serve(l.grpc) }()
	}
	if c.Ready != nil {
		c.Ready(l.addresses())
	}
	reloading, stopReloading := context.WithCancel(ctx)
	go c.reload(reloading, s)

	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	stopReloading()
	return errors.Join(err, c.end(main, admin, rpc), s.Close())
}

// end waits for the requests under way, and closes the servers.
func (c Config) end(main, admin *http.Server, rpc *oip.Server) error {
	start := time.Now()
	c.HTTP.Drain.Begin()
	c.Log.Info("draining", "under_way", c.HTTP.Drain.UnderWay())
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(c.DrainTimeout, 30*time.Second))
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		if rpc == nil {
			stopped <- nil
			return
		}
		stopped <- rpc.Shutdown(ctx)
	}()
	errs := []error{c.HTTP.Drain.Wait(ctx), main.Shutdown(ctx), main.Close(), <-stopped}
	if admin != nil {
		errs = append(errs, admin.Close())
	}
	c.Log.Info("ended", "took", time.Since(start))
	return errors.Join(errs...)
}

// reload loads models anew whenever that is asked for.
func (c Config) reload(ctx context.Context, s *service.Service) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.Reload: // a nil channel has nothing
		}
		if err := s.Reload(ctx, ""); err != nil {
			c.Log.Error("models not loaded anew; those that were there go on", "error", err)
		}
	}
}

// server has the limits that stand before any handler: slow headers, large headers, idle connections.
func (c Config) server(h http.Handler, certificates *certificates) *http.Server {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug), // clients' broken handshakes, mostly
	}
	if certificates != nil {
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificates.get, NextProtos: []string{"h2", "http/1.1"}}
	}
	return s
}

// rpc is the server over gRPC.
func (c Config) rpc(certificates *certificates) *oip.Server {
	o := oip.GRPCOptions{Limiter: c.HTTP.Limiter, Timeout: c.HTTP.Timeout, Observe: c.observeRPC}
	if tokens := c.HTTP.Tokens; tokens != nil {
		o.Check = func(token string) bool { return tokens.Allow("Bearer " + token) }
	}
	if certificates != nil {
		o.ServerOptions = append(o.ServerOptions, grpc.Creds(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificates.get})))
	}
	return c.HTTP.inference.Server(o)
}

// observeRPC counts calls over gRPC among the requests.
func (c Config) observeRPC(method string, code codes.Code, took time.Duration) {
	status := map[codes.Code]int{
		codes.OK: 200, codes.InvalidArgument: 400, codes.Unauthenticated: 401, codes.NotFound: 404, codes.ResourceExhausted: 429, codes.Canceled: 499,
		codes.Unimplemented: 501, codes.Unavailable: 503, codes.DeadlineExceeded: 504,
	}[code]
	if method != "" {
		method = "GRPC " + method // made-up ones are "other", as paths are
	}
	c.HTTP.Metrics.Request(method, http.MethodPost, cmp.Or(status, 500), took)
}

// adminHandler is for those who run the server: metrics and profiles.
func adminHandler(metrics *telemetry.Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// listeners are the open sockets of a server.
type listeners struct{ http, admin, grpc net.Listener }

// listen opens the sockets.
func (c Config) listen(ctx context.Context) (*listeners, error) {
	l := &listeners{}
	for _, one := range []struct {
		flag, address string
		to            *net.Listener
	}{{"addr", c.Addr, &l.http}, {"admin addr", c.AdminAddr, &l.admin}, {"grpc addr", c.GRPCAddr, &l.grpc}} {
		if one.address == "" {
			continue
		}
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", one.address)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("%s: %w", one.flag, err)
		}
		*one.to = netutil.LimitListener(listener, cmp.Or(c.MaxConns, 4096))
	}
	return l, nil
}

func (l *listeners) close() {
	for _, one := range []net.Listener{l.http, l.admin, l.grpc} {
		if one != nil {
			one.Close()
		}
	}
}

func (l *listeners) addresses() Listening {
	address := func(l net.Listener) string {
		if l == nil {
			return ""
		}
		return l.Addr().String()
	}
	return Listening{address(l.http), address(l.admin), address(l.grpc)}
}

// loopbackNames are the names by which a server that listens for its own machine may be called, so that no web page calls it by a name of its own that it lets
// point here; none for other addresses.
func loopbackNames(address string) []string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return []string{"localhost", "127.0.0.1", "::1", host}
	}
	return nil
}
