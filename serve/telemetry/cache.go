package telemetry

import "github.com/prometheus/client_golang/prometheus"

// CacheStats are a region cache's figures since the program began.
type CacheStats struct {
	Hits, Misses, Evictions uint64
	Entries                 int
	Bytes, MaxBytes         int64
}

// Cache has the region cache's figures read whenever Prometheus asks; it is called once.
func (m *Metrics) Cache(stats func() CacheStats) { m.registry.MustRegister(cacheMetrics{stats}) }

// cacheMetrics reads all figures at one moment.
type cacheMetrics struct{ stats func() CacheStats }

var (
	cacheHits      = cacheDesc("hits_total", "Pictures whose regions were in the cache.")
	cacheMisses    = cacheDesc("misses_total", "Pictures whose regions were not in the cache.")
	cacheEvictions = cacheDesc("evictions_total", "Pictures whose regions had to make room for others.")
	cacheEntries   = cacheDesc("entries", "Pictures in the cache.")
	cacheBytes     = cacheDesc("bytes", "Memory that the cache's regions take.")
	cacheMaxBytes  = cacheDesc("max_bytes", "Memory that the cache may take.")
)

func cacheDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("lxmert_region_cache_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector.
func (cacheMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{cacheHits, cacheMisses, cacheEvictions, cacheEntries, cacheBytes, cacheMaxBytes} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c cacheMetrics) Collect(to chan<- prometheus.Metric) {
	s := c.stats()
	count := func(d *prometheus.Desc, n uint64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	gauge := func(d *prometheus.Desc, n int64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	count(cacheHits, s.Hits)
	count(cacheMisses, s.Misses)
	count(cacheEvictions, s.Evictions)
	gauge(cacheEntries, int64(s.Entries))
	gauge(cacheBytes, s.Bytes)
	gauge(cacheMaxBytes, s.MaxBytes)
}
