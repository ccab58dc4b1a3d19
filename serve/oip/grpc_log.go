package oip

import (
	"context"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// requestID is the name under which ids of calls come and go, as over HTTP.
const requestID = "x-request-id"

// tell writes a line to the log and tells the observer, when a call was answered or refused. Neither learns what is in it.
func (d *door) tell(ctx context.Context, id, method string, err error, took time.Duration) {
	code := status.Code(err)
	if !d.methods[method] { // what a client has made up goes into no metric and no log
		method = ""
	}
	if d.options.Observe != nil {
		d.options.Observe(method, code, took)
	}
	level, log := levelOf(method, code), d.api.service.Log()
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("id", id), slog.String("method", method), slog.String("code", code.String()), slog.Duration("took", took)}
	if p, ok := peer.FromContext(ctx); ok {
		remote := p.Addr.String()
		if host, _, err := net.SplitHostPort(remote); err == nil {
			remote = host
		}
		attrs = append(attrs, slog.String("remote", remote))
	}
	log.LogAttrs(context.WithoutCancel(ctx), level, "call", attrs...)
}

// levelOf is how much a call matters: our faults are errors, the clients' and full queues warnings, probes debugging.
func levelOf(method string, code codes.Code) slog.Level {
	switch code {
	case codes.OK, codes.Canceled:
		if public(method) {
			return slog.LevelDebug
		}
		return slog.LevelInfo
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.DeadlineExceeded:
		return slog.LevelError
	}
	return slog.LevelWarn
}
