package serve

import (
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/telemetry"
)

// observer tells metrics what the service does.
type observer struct{ *telemetry.Metrics }

var _ service.Observer = observer{}

func (o observer) Stage(stage string, took time.Duration) {
	o.Metrics.Stage(strings.ToLower(stage), took)
}

func (o observer) Batch(model, version string, questions int, took time.Duration) {
	o.Metrics.Stage("encode", took)
	o.Metrics.Batch(questions)
	o.Metrics.Execution(model, version)
}

func (o observer) Inference(model, version string, i service.Inference) {
	if i.Err != nil {
		o.Metrics.Failed(service.KindOf(i.Err).String())
	}
	o.Metrics.Inference(model, version, telemetry.Inference{Failed: i.Err != nil, Count: i.Questions, Total: i.Total, Queue: i.Queue, Compute: i.Compute})
}

func (o observer) Loaded(cards []service.Card) {
	models := make([]telemetry.Model, len(cards))
	for i, c := range cards {
		models[i] = telemetry.Model{Name: c.ID, Version: c.Version, Preset: c.Preset, Detector: c.Detector}
	}
	o.Metrics.Models(models...)
}

// cacheStats are the service's for metrics.
func cacheStats(s *service.Service) func() telemetry.CacheStats {
	return func() telemetry.CacheStats {
		c := s.CacheStats()
		return telemetry.CacheStats{Hits: c.Hits, Misses: c.Misses, Evictions: c.Evictions, Entries: c.Pictures, Bytes: c.Bytes, MaxBytes: c.MaxBytes}
	}
}
