// Package otlp sends traces to a collector over HTTP (OTLP). It is a room of its own for its weight: who embeds a server and has a tracer provider
// already needs telemetry alone.
package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Start makes a tracer provider that sends spans to a collector, in batches and in the background; what goes wrong with it, it tells the log. Endpoint is
// a URL such as http://localhost:4318; /v1/traces is added where it has no path. OpenTelemetry's own variables count too: OTEL_SERVICE_NAME
// ("lxmert" without), OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS and so on. Its
// Shutdown sends what is left.
func Start(ctx context.Context, endpoint, version string, log *slog.Logger) (*sdk.TracerProvider, error) {
	at, err := collector(endpoint)
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(at))
	if err != nil {
		return nil, fmt.Errorf("OTLP endpoint %s: %w", at, err)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "lxmert"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	return sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about)), nil
}

// collector is an endpoint with its path.
func collector(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("OTLP endpoint %q: want a URL such as http://localhost:4318", endpoint)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return u.String(), nil
}
