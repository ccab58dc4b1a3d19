// Package telemetry says how a server of models is doing: metrics that Prometheus reads, and traces for OpenTelemetry. Names are lxmert_*, and beside
// them Triton's (nv_inference_*), for which dashboards exist. It knows nothing of what is served.
package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are a server's figures. Its methods may be called by many goroutines at a time. What becomes a label is bounded: values
// that are not known, or too many of them, are "other".
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.HistogramVec
	queue    prometheus.Histogram
	stages   *prometheus.HistogramVec
	batch    prometheus.Histogram
	inflight prometheus.Gauge
	rejected *prometheus.CounterVec
	errors   *prometheus.CounterVec
	models   *modelMetrics

	routes, stageNames, reasons, kinds bounded
}

// seconds are the bounds of histograms of durations: a region cache's hit takes a millisecond, a large detector on a busy CPU a minute.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 60}

// New makes metrics with a registry of their own, for a program of that version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lxmert_request_seconds", Help: "Time from a request's headers to the end of its answer.", Buckets: seconds,
		}, []string{"route", "method", "code"}),
		queue: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "lxmert_queue_seconds", Help: "Time that requests waited for a place to work in.", Buckets: seconds,
		}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lxmert_stage_seconds", Help: "Time that a stage of the work took.", Buckets: seconds,
		}, []string{"stage"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "lxmert_batch_size", Help: "Questions that a model answered in one go.", Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
		inflight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "lxmert_inflight", Help: "Requests under way."}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lxmert_rejected_total", Help: "Requests that were not let in, by reason.",
		}, []string{"reason"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lxmert_errors_total", Help: "Requests that failed at work, by kind of error.",
		}, []string{"kind"}),
		models: newModelMetrics(),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "lxmert_build_info", Help: "1, with the program's version and the Go version that built it.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	}, func() float64 { return 1 })
	m.registry.MustRegister(build, m.requests, m.queue, m.stages, m.batch, m.inflight, m.rejected, m.errors, m.models,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.InstrumentMetricHandler(m.registry, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
}

// Registry is where a program may register collectors of its own.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Request is told of a request that was answered: its route's pattern as http.ServeMux has it ("POST /v1/answers", "" for none), and the status sent.
func (m *Metrics) Request(route, method string, code int, took time.Duration) {
	m.requests.WithLabelValues(m.routes.value(routePath(route)), methodLabel(method), codeLabel(code)).Observe(took.Seconds())
}

// Queue is told how long a request has waited for a place to work in.
func (m *Metrics) Queue(waited time.Duration) { m.queue.Observe(waited.Seconds()) }

// Stage is told how long a stage of the work took, such as "decode", "regions" or "encode".
func (m *Metrics) Stage(stage string, took time.Duration) {
	m.stages.WithLabelValues(m.stageNames.value(stage)).Observe(took.Seconds())
}

// Batch is told how many questions a model answers in one go.
func (m *Metrics) Batch(size int) { m.batch.Observe(float64(size)) }

// Inflight is told how the number of requests under way has changed.
func (m *Metrics) Inflight(change int) { m.inflight.Add(float64(change)) }

// Rejected is told of a request that was not let in.
func (m *Metrics) Rejected(reason string) { m.rejected.WithLabelValues(m.reasons.value(reason)).Inc() }

// Failed is told of a request that failed at work, and with which kind of error, such as "invalid" or "internal".
func (m *Metrics) Failed(kind string) {
	m.errors.WithLabelValues(m.kinds.value(strings.ReplaceAll(kind, " ", "_"))).Inc()
}

func codeLabel(code int) string {
	if code < 100 || code > 599 {
		return other
	}
	return strconv.Itoa(code)
}
