package telemetry

import (
	"fmt"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape reads what Prometheus would.
func scrape(t *testing.T, m *Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != 200 {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// value is the value of a series written as name{label="value",...} with its labels in alphabetical order: a histogram's is its count.
func value(t *testing.T, families map[string]*dto.MetricFamily, series string) float64 {
	t.Helper()
	name, _, _ := strings.Cut(series, "{")
	for _, m := range families[name].GetMetric() {
		var labels []string
		for _, l := range m.GetLabel() {
			labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
		slices.Sort(labels)
		written := name
		if len(labels) > 0 {
			written += "{" + strings.Join(labels, ",") + "}"
		}
		if written == series {
			switch {
			case m.Histogram != nil:
				return float64(m.Histogram.GetSampleCount())
			case m.Counter != nil:
				return m.Counter.GetValue()
			default:
				return m.Gauge.GetValue()
			}
		}
	}
	t.Errorf("no series %s", series)
	return math.NaN()
}

// busy is metrics that have been told something of everything.
func busy() *Metrics {
	m := New("v1.2.3")
	m.Request("POST /v1/answers", "POST", 200, 30*time.Millisecond)
	m.Request("POST /v1/answers", "POST", 200, 20*time.Millisecond)
	m.Request("", "BREW", 404, time.Millisecond)
	m.Request("/v2/{rest...}", "GET", 7, time.Millisecond)
	m.Queue(time.Millisecond)
	m.Stage("encode", 5*time.Millisecond)
	m.Stage("", time.Second)
	m.Inflight(3)
	m.Inflight(-1)
	m.Rejected("queue")
	m.Failed("internal")
	m.Failed("not found")
	m.Cache(func() CacheStats {
		return CacheStats{Hits: 5, Misses: 4, Evictions: 1, Entries: 3, Bytes: 3000, MaxBytes: 4000}
	})
	m.Models(Model{Name: "shipped", Version: "1", Preset: "scenes", Detector: "scenes"})
	m.Batch(4)
	m.Execution("shipped", "1")
	m.Inference("shipped", "1", Inference{
		Count: 3, Total: 10 * time.Millisecond, Queue: time.Millisecond, Input: 2 * time.Millisecond, Compute: 5 * time.Millisecond, Output: time.Millisecond,
	})
	m.Inference("shipped", "1", Inference{Failed: true, Count: 9, Total: time.Hour})
	m.Inference("invented", "9", Inference{Count: 1})
	return m
}

func TestMetrics(t *testing.T) {
	families := scrape(t, busy())
	for series, want := range map[string]float64{
		`lxmert_request_seconds{code="200",method="POST",route="/v1/answers"}`:    2,
		`lxmert_request_seconds{code="404",method="other",route="other"}`:         1,
		`lxmert_request_seconds{code="other",method="GET",route="/v2/{rest...}"}`: 1,
		`lxmert_queue_seconds`:                  1,
		`lxmert_stage_seconds{stage="encode"}`:  1,
		`lxmert_stage_seconds{stage="other"}`:   1,
		`lxmert_batch_size`:                     1,
		`lxmert_inflight`:                       2,
		`lxmert_rejected_total{reason="queue"}`: 1,
		`lxmert_errors_total{kind="internal"}`:  1,
		`lxmert_errors_total{kind="not_found"}`: 1,
		`lxmert_region_cache_hits_total`:        5,
		`lxmert_region_cache_misses_total`:      4,
		`lxmert_region_cache_evictions_total`:   1,
		`lxmert_region_cache_entries`:           3,
		`lxmert_region_cache_bytes`:             3000,
		`lxmert_region_cache_max_bytes`:         4000,
		`lxmert_models{detector="scenes",model="shipped",preset="scenes",version="1"}`: 1,
		`nv_inference_request_success{model="shipped",version="1"}`:                    1,
		`nv_inference_request_failure{model="shipped",version="1"}`:                    1,
		`nv_inference_count{model="shipped",version="1"}`:                              3,
		`nv_inference_exec_count{model="shipped",version="1"}`:                         1,
		`nv_inference_request_duration_us{model="shipped",version="1"}`:                10000,
		`nv_inference_queue_duration_us{model="shipped",version="1"}`:                  1000,
		`nv_inference_compute_input_duration_us{model="shipped",version="1"}`:          2000,
		`nv_inference_compute_infer_duration_us{model="shipped",version="1"}`:          5000,
		`nv_inference_compute_output_duration_us{model="shipped",version="1"}`:         1000,
		`nv_inference_request_success{model="other",version="other"}`:                  1,
	} {
		if got := value(t, families, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	for _, name := range []string{"lxmert_build_info", "go_goroutines", "process_open_fds", "process_resident_memory_bytes"} {
		if families[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	for _, m := range families["lxmert_request_seconds"].GetMetric() {
		if got := m.Histogram.GetSampleSum(); m.Histogram.GetSampleCount() == 2 && math.Abs(got-.05) > 1e-9 {
			t.Errorf("two requests of 50 ms together took %v s", got)
		}
	}
}

// TestLint asks Prometheus' own linter about our names. Triton's do not end in _total, and are not ours to choose.
func TestLint(t *testing.T) {
	m := busy()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "lxmert_") {
			ours = append(ours, f.GetName())
		}
	}
	if len(ours) < 14 {
		t.Errorf("found %d names, want all of them: %v", len(ours), ours)
	}
	problems, err := testutil.GatherAndLint(m.registry, ours...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestModels replaces a model by its next version: the figures of the one before end.
func TestModels(t *testing.T) {
	m := New("")
	m.Models(Model{Name: "a", Version: "1"}, Model{Name: "b", Version: "1"})
	m.Execution("a", "1")
	m.Models(Model{Name: "a", Version: "2"}, Model{Name: "b", Version: "1"})
	m.Execution("a", "1") // a request that was under way
	families := scrape(t, m)
	if got := len(families["lxmert_models"].GetMetric()); got != 2 {
		t.Errorf("%d models, want 2", got)
	}
	if got := len(families["nv_inference_exec_count"].GetMetric()); got != 3 {
		t.Errorf("%d series of executions, want those of a 2, b 1 and other", got)
	}
	if got := value(t, families, `nv_inference_exec_count{model="other",version="other"}`); got != 1 {
		t.Errorf("other has executed %v times, want 1", got)
	}
}

// TestBounded sends more routes than a label may take, from many goroutines.
func TestBounded(t *testing.T) {
	m := New("")
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				m.Request(fmt.Sprintf("GET /%d/%d", g, i), "GET", 200, time.Millisecond)
				m.Request("GET /\xff", "GET", 200, time.Millisecond)
				m.Rejected(fmt.Sprint(g, i))
				m.Stage(fmt.Sprint(g, i), time.Millisecond)
				m.Failed(fmt.Sprint(g, i))
				m.Models(Model{Name: fmt.Sprint(g)})
				m.Inference(fmt.Sprint(g), "", Inference{Count: 1})
			}
		})
	}
	all.Wait()
	families := scrape(t, m)
	for _, name := range []string{"lxmert_request_seconds", "lxmert_rejected_total", "lxmert_stage_seconds", "lxmert_errors_total"} {
		if got := len(families[name].GetMetric()); got > mostValues+1 {
			t.Errorf("%s has %d series, want at most %d", name, got, mostValues+1)
		}
	}
	if value(t, families, `lxmert_request_seconds{code="200",method="GET",route="other"}`) == 0 {
		t.Error("no route is other")
	}
}
