package oip

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/go-lxmert/lxmert/serve/guard"
	"github.com/go-lxmert/lxmert/serve/oip/inference"
	"github.com/go-lxmert/lxmert/serve/service"
)

// GRPCOptions are those of a server over gRPC beyond [Options]. The zero GRPCOptions let everybody in.
type GRPCOptions struct {
	// Check says whether a bearer token lets its client in; nil: none is wanted. Health checks want none.
	Check func(token string) bool

	// Limiter lets requests for inference work, and turns away those for which there is no room; it may be shared with HTTP. Nil: there is room for all
	// that MaxCalls lets in.
	Limiter *guard.Limiter

	MaxCalls int           // for inference at a time, counted before they are read; 0 is 128. Each takes memory for its message, up to Options.MaxBytes.
	Timeout  time.Duration // for a call, from its head's arrival; 0 is 30 s, less than 0 is none

	// Observe, if not nil, is told of every call that was answered or refused, by its name, such as "/inference.GRPCInferenceService/ModelInfer". It is called
	// by many goroutines, and must not block.
	Observe func(method string, code codes.Code, took time.Duration)

	// ServerOptions are gRPC's own: credentials for TLS, interceptors.
	ServerOptions []grpc.ServerOption
}

// Server serves the protocol over gRPC, with gRPC's health checks (grpc.health.v1) and reflection. Messages have at most Options.MaxBytes.
type Server struct {
	*grpc.Server
	door     *door
	stopping chan struct{} // closed when it stops
	begun    atomic.Bool
}

// Server makes a server over gRPC. It serves what [grpc.Server.Serve] is given, until [Server.Shutdown].
func (a *API) Server(o GRPCOptions) *Server {
	if o.MaxCalls == 0 {
		o.MaxCalls = 128
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	s := &Server{door: &door{api: a, options: o}, stopping: make(chan struct{})}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(int(a.options.MaxBytes)),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxConcurrentStreams(uint32(o.MaxCalls) + 16), // of one connection
		grpc.MaxHeaderListSize(16 << 10),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 5 * time.Minute, Time: 2 * time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.InTapHandle(s.door.enter),
		grpc.ChainUnaryInterceptor(s.door.unary),
		grpc.ChainStreamInterceptor(s.door.stream),
	}
	s.Server = grpc.NewServer(append(options, o.ServerOptions...)...)
	inference.RegisterGRPCInferenceServiceServer(s.Server, &methods{api: a, stopping: s.stopping})
	healthpb.RegisterHealthServer(s.Server, &health{api: a, stopping: s.stopping})
	reflection.Register(s.Server)
	s.door.methods = map[string]bool{}
	for name, service := range s.GetServiceInfo() {
		for _, method := range service.Methods {
			s.door.methods["/"+name+"/"+method.Name] = true
		}
	}
	return s
}

// Shutdown stops the server: calls under way are answered, new ones are refused. When ctx ends first, what is still under way is broken off, and the
// error is ctx's.
func (s *Server) Shutdown(ctx context.Context) error {
	if !s.begun.Swap(true) {
		close(s.stopping)
	}
	done := make(chan struct{})
	go func() {
		s.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.Stop()
		<-done
		return ctx.Err()
	}
}

// door is through what every call goes.
type door struct {
	api     *API
	options GRPCOptions
	methods map[string]bool // those that there are
	calls   atomic.Int64    // for inference
}

// public are methods that want no token: probes have none.
func public(method string) bool {
	return strings.HasPrefix(method, "/"+healthpb.Health_ServiceDesc.ServiceName+"/") ||
		method == inference.GRPCInferenceService_ServerLive_FullMethodName || method == inference.GRPCInferenceService_ServerReady_FullMethodName
}

// enter lets a call in when its head has come: what is refused here is not read.
func (d *door) enter(ctx context.Context, info *tap.Info) (_ context.Context, err error) {
	defer func() {
		if err != nil { // else unary and stream tell
			d.tell(ctx, "", info.FullMethodName, err, 0)
		}
	}()
	if err := d.authorize(info.FullMethodName, info.Header); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(info.FullMethodName, "/"+inference.GRPCInferenceService_ServiceDesc.ServiceName+"/") {
		return ctx, nil
	}
	if d.options.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, d.options.Timeout)
		context.AfterFunc(ctx, cancel)
		ctx = limited
	}
	if info.FullMethodName != inference.GRPCInferenceService_ModelInfer_FullMethodName {
		return ctx, nil
	}
	if d.calls.Add(1) > int64(d.options.MaxCalls) {
		d.calls.Add(-1)
		return nil, status.Error(codes.ResourceExhausted, "too many requests are under way; ask again a little later")
	}
	context.AfterFunc(ctx, func() { d.calls.Add(-1) })
	return ctx, nil
}

func (d *door) authorize(method string, head metadata.MD) error {
	if d.options.Check == nil || public(method) {
		return nil
	}
	values := head.Get("authorization")
	if len(values) == 1 {
		if scheme, token, ok := strings.Cut(values[0], " "); ok && strings.EqualFold(scheme, "bearer") && d.options.Check(token) {
			return nil
		}
	}
	return status.Error(codes.Unauthenticated, "want authorization: Bearer and a token that this server knows")
}

// unary surrounds a call: a token where none was looked at (a server behind net/http knows no enter), a place to work in, panics.
func (d *door) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	start := time.Now()
	head, _ := metadata.FromIncomingContext(ctx)
	id := guard.IDFor(head.Get(requestID))
	grpc.SetHeader(ctx, metadata.Pairs(requestID, id)) // an error is the client's going
	defer func() { d.tell(ctx, id, info.FullMethod, err, time.Since(start)) }()
	if err := d.authorize(info.FullMethod, head); err != nil {
		return nil, err
	}
	defer d.recover(info.FullMethod, &err)
	if d.options.Limiter != nil && info.FullMethod == inference.GRPCInferenceService_ModelInfer_FullMethodName {
		leave, err := d.options.Limiter.Enter(ctx)
		if errors.Is(err, guard.ErrQueueFull) || errors.Is(err, guard.ErrWaited) {
			return nil, status.Error(codes.ResourceExhausted, "too many requests are waiting; ask again a little later")
		}
		if err != nil {
			return nil, d.api.status(err)
		}
		defer leave()
	}
	return handle(ctx, in)
}

func (d *door) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	start := time.Now()
	head, _ := metadata.FromIncomingContext(stream.Context())
	id := guard.IDFor(head.Get(requestID))
	stream.SetHeader(metadata.Pairs(requestID, id))
	defer func() { d.tell(stream.Context(), id, info.FullMethod, err, time.Since(start)) }()
	if err := d.authorize(info.FullMethod, head); err != nil {
		return err
	}
	defer d.recover(info.FullMethod, &err)
	return handle(server, stream)
}

// recover turns a panic into an error, so that it hurts one call only.
func (d *door) recover(method string, err *error) {
	if fault := recover(); fault != nil {
		stack := make([]byte, 16<<10)
		d.api.service.Log().Error("panic", "in", method, "fault", fmt.Sprint(fault), "stack", string(stack[:runtime.Stack(stack, false)]))
		*err = status.Error(codes.Internal, "something went wrong inside; the server's log says what")
	}
}

// status is an error as gRPC has it. What is too large is an invalid argument: trying again does not help, as clients would on RESOURCE_EXHAUSTED.
func (a *API) status(err error) error {
	e := service.AsError(err)
	code := codes.Internal
	switch e.Kind {
	case service.Invalid, service.Unsupported, service.TooLarge:
		code = codes.InvalidArgument
	case service.NotFound:
		code = codes.NotFound
	case service.Busy:
		code = codes.ResourceExhausted
	case service.Draining:
		code = codes.Unavailable
	case service.Timeout:
		code = codes.DeadlineExceeded
	case service.Cancelled:
		code = codes.Canceled
	default:
		a.service.Log().Error("inference", "error", errors.Join(e, e.Err))
	}
	return status.Error(code, oneLine(e.Message))
}
