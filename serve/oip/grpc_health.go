package oip

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/go-lxmert/lxmert/serve/oip/inference"
)

// watchEvery is how often a watcher's status is looked at.
const watchEvery = time.Second

// health is gRPC's health service: of the server (""), of the protocol by its service's name, and of each model by its name.
type health struct {
	healthpb.UnimplementedHealthServer
	api      *API
	stopping <-chan struct{}
}

// of is the status of a service; SERVICE_UNKNOWN if there is none of the name.
func (h *health) of(name string) healthpb.HealthCheckResponse_ServingStatus {
	if name != "" && name != inference.GRPCInferenceService_ServiceDesc.ServiceName {
		if _, err := h.api.find(name, ""); isNotFound(err) {
			return healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		}
	}
	if isClosed(h.stopping) || !h.api.ready() {
		return healthpb.HealthCheckResponse_NOT_SERVING
	}
	return healthpb.HealthCheckResponse_SERVING
}

func (h *health) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	found := h.of(r.GetService())
	if found == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, status.Errorf(codes.NotFound, "there is no service %.80q here", r.GetService())
	}
	return &healthpb.HealthCheckResponse{Status: found}, nil
}

func (h *health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	list := &healthpb.HealthListResponse{Statuses: map[string]*healthpb.HealthCheckResponse{}}
	names := []string{"", inference.GRPCInferenceService_ServiceDesc.ServiceName}
	for _, m := range h.api.all() {
		names = append(names, m.name)
	}
	for _, name := range names {
		list.Statuses[name] = &healthpb.HealthCheckResponse{Status: h.of(name)}
	}
	return list, nil
}

func (h *health) Watch(r *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	last := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		stopping := isClosed(h.stopping)
		if found := h.of(r.GetService()); found != last {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: found}); err != nil {
				return err
			}
			last = found
		}
		if stopping { // a watcher must not keep the server from its end
			return status.Error(codes.Unavailable, "the server is going down")
		}
		select {
		case <-ticker.C:
		case <-h.stopping:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}
