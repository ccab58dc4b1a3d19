package telemetry

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Model is one that a server has loaded, as labels say it.
type Model struct{ Name, Version, Preset, Detector string }

// An Inference is one request's work by a model. Its durations overlap with other requests' where they went in one batch.
type Inference struct {
	Failed  bool          // the request got no result; Triton counts none of its durations
	Count   int           // questions in the request
	Total   time.Duration // from the request's arrival to its results
	Queue   time.Duration // waiting for a batch
	Input   time.Duration // making tensors of it
	Compute time.Duration // the model at work
	Output  time.Duration // making answers of tensors
}

// Models says which models are loaded from now on. Figures of those that were unloaded, or replaced by another version, end.
func (m *Metrics) Models(loaded ...Model) { m.models.load(loaded) }

// Inference is told of a request that a model has answered or failed to.
func (m *Metrics) Inference(model, version string, i Inference) {
	m.models.inference(model, version, i)
}

// Execution is told that a model has run once, on a batch of whatever size; see Batch.
func (m *Metrics) Execution(model, version string) { m.models.count(model, version, execution, 1) }

// modelMetrics are figures by model and version, under the names that Triton Inference Server gives them: counters, durations in microseconds.
type modelMetrics struct {
	mu       sync.Mutex
	loaded   *prometheus.GaugeVec
	counters [counterKinds]*prometheus.CounterVec
	known    []Model
}

// The counters by their places.
const (
	success = iota
	failure
	inferences
	execution
	total
	queued
	input
	compute
	output
	counterKinds
)

// triton has Triton's names and what they mean here.
var triton = [counterKinds]struct{ name, help string }{
	success:    {"nv_inference_request_success", "Requests that a model has answered."},
	failure:    {"nv_inference_request_failure", "Requests that a model has failed to answer."},
	inferences: {"nv_inference_count", "Questions that a model has answered."},
	execution:  {"nv_inference_exec_count", "Batches that a model has computed."},
	total:      {"nv_inference_request_duration_us", "Microseconds that requests took, all of them together."},
	queued:     {"nv_inference_queue_duration_us", "Microseconds that requests waited for a batch, all of them together."},
	input:      {"nv_inference_compute_input_duration_us", "Microseconds of making tensors of requests."},
	compute:    {"nv_inference_compute_infer_duration_us", "Microseconds of the model at work."},
	output:     {"nv_inference_compute_output_duration_us", "Microseconds of making answers of tensors."},
}

func newModelMetrics() *modelMetrics {
	m := &modelMetrics{loaded: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "lxmert_models", Help: "1 for each model that is loaded.",
	}, []string{"model", "version", "preset", "detector"})}
	for i, c := range triton {
		m.counters[i] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: c.name, Help: c.help}, []string{"model", "version"})
	}
	return m
}

func (m *modelMetrics) load(loaded []Model) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.known {
		if !slices.ContainsFunc(loaded, func(l Model) bool { return l.Name == old.Name && l.Version == old.Version }) {
			for _, counter := range m.counters {
				counter.DeleteLabelValues(old.Name, old.Version)
			}
		}
	}
	m.loaded.Reset()
	m.known = slices.Clone(loaded)
	for _, l := range loaded {
		m.loaded.WithLabelValues(l.Name, l.Version, l.Preset, l.Detector).Set(1)
		for _, counter := range m.counters {
			counter.WithLabelValues(l.Name, l.Version) // from zero, so that rates are right from the first request
		}
	}
}

func (m *modelMetrics) inference(model, version string, i Inference) {
	if i.Failed {
		m.count(model, version, failure, 1)
		return
	}
	m.count(model, version, success, 1)
	m.count(model, version, inferences, float64(i.Count))
	for counter, took := range map[int]time.Duration{total: i.Total, queued: i.Queue, input: i.Input, compute: i.Compute, output: i.Output} {
		m.count(model, version, counter, float64(max(took, 0).Microseconds()))
	}
}

// count adds to a counter. A model that is not loaded is other: its name may be a client's invention, its figures have ended.
func (m *modelMetrics) count(model, version string, counter int, n float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.ContainsFunc(m.known, func(l Model) bool { return l.Name == model && l.Version == version }) {
		model, version = other, other
	}
	m.counters[counter].WithLabelValues(model, version).Add(n)
}

// Describe implements prometheus.Collector.
func (m *modelMetrics) Describe(to chan<- *prometheus.Desc) {
	m.loaded.Describe(to)
	for _, counter := range m.counters {
		counter.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (m *modelMetrics) Collect(to chan<- prometheus.Metric) {
	m.loaded.Collect(to)
	for _, counter := range m.counters {
		counter.Collect(to)
	}
}
